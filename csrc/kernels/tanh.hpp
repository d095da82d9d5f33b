// Tanh maps scores to (-1, 1).
#pragma once

#include "activation.hpp"
#include "math.hpp"

namespace pynet::PYNET_ISA {

// The derivative comes from x, since 1 - tanh(x)^2 loses its digits where tanh is near 1.
template <class T>
struct Tanh {
    static constexpr Index grain = costly_grain;
    T value(T x) const { return tanh(x); }
    T gradient(T x, T grad) const { return tanh_derivative(x) * grad; }
};

template <class T>
constexpr Activation<T> tanh_activation = activation<T, Tanh<T>>;

}  // namespace pynet::PYNET_ISA
