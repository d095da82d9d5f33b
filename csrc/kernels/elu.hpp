// ELU keeps what is positive, and lets what is negative saturate.
#pragma once

#include "activation.hpp"
#include "math.hpp"

namespace pynet::PYNET_ISA {

// value = x > 0 ? x : alpha (e^x - 1);  at 0 the derivative is `alpha`.
template <class T>
struct Elu {
    static constexpr Index grain = costly_grain;
    T alpha;
    T value(T x) const { return x >= 0 ? x : alpha * expm1(x); }
    T gradient(T x, T grad) const { return x > 0 ? grad : alpha * exp(x) * grad; }
};

template <class T>
constexpr Activation<T, T> elu = activation<T, Elu<T>, T>;

}  // namespace pynet::PYNET_ISA
