// LeakyReLU lets a little of what is negative through.
#pragma once

#include "activation.hpp"

namespace pynet::PYNET_ISA {

// value = x > 0 ? x : slope * x;  at 0 the derivative is `slope`.
template <class T>
struct LeakyReLU {
    static constexpr Index grain = cheap_grain;
    T slope;
    T value(T x) const { return x > 0 ? x : slope * x; }
    T gradient(T x, T grad) const { return x > 0 ? grad : slope * grad; }
};

template <class T>
constexpr Activation<T, T> leaky_relu = activation<T, LeakyReLU<T>, T>;

}  // namespace pynet::PYNET_ISA
