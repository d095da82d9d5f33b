// Sigmoid maps scores to (0, 1).
#pragma once

#include "activation.hpp"
#include "math.hpp"

namespace pynet::PYNET_ISA {

// value = 1 / (1 + exp(-x));  the derivative comes from x, since s * (1 - s) loses its digits where s is near 1.
template <class T>
struct Sigmoid {
    static constexpr Index grain = costly_grain;
    T value(T x) const { return sigmoid(x); }
    T gradient(T x, T grad) const { return sigmoid_derivative(x) * grad; }
};

template <class T>
constexpr Activation<T> sigmoid_activation = activation<T, Sigmoid<T>>;

}  // namespace pynet::PYNET_ISA
