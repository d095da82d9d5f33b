// SiLU weighs its input with its sigmoid.
#pragma once

#include "activation.hpp"
#include "gated.hpp"

namespace pynet::PYNET_ISA {

// value = x s for s = sigmoid(x);  derivative = s + x s (1 - s).
template <class T>
struct Silu {
    static constexpr Index grain = costly_grain;
    T value(T x) const { return gated(x, x, T(0)); }
    T gradient(T x, T grad) const { return gated_derivative(x, T(0), within(x, Real<T>::exp_limit)) * grad; }
};

template <class T>
constexpr Activation<T> silu = activation<T, Silu<T>>;

}  // namespace pynet::PYNET_ISA
