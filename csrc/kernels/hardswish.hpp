// Hardswish weighs its input with its hardsigmoid.
#pragma once

#include "activation.hpp"

namespace pynet::PYNET_ISA {

// value = x min(max(x + 3, 0), 6) / 6;  derivative (2 x + 3) / 6 between -3 and 3, 0 at -3 and below, 1 from 3 on.
template <class T>
struct Hardswish {
    static constexpr Index grain = cheap_grain;
    T value(T x) const {
        const T bent = x <= -3 ? T(0) : x * (x + 3) / 6;
        return x >= 3 ? x : bent;
    }
    T gradient(T x, T grad) const {
        const T bent = x <= -3 ? T(0) : (2 * x + 3) / 6 * grad;
        return x >= 3 ? grad : bent;
    }
};

template <class T>
constexpr Activation<T> hardswish = activation<T, Hardswish<T>>;

}  // namespace pynet::PYNET_ISA
