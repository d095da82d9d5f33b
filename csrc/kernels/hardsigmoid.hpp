// Hardsigmoid is a sigmoid made of three straight lines.
#pragma once

#include "activation.hpp"

namespace pynet::PYNET_ISA {

// value = min(max(x + 3, 0), 6) / 6;  the derivative is 1/6 between -3 and 3, and 0 at them.
template <class T>
struct Hardsigmoid {
    static constexpr Index grain = cheap_grain;
    T value(T x) const {
        const T rising = x <= -3 ? T(0) : (x + 3) / 6;
        return x >= 3 ? T(1) : rising;
    }
    T gradient(T x, T grad) const {
        const T rising = x <= -3 ? T(0) : grad / 6;
        return x >= 3 ? T(0) : rising;
    }
};

template <class T>
constexpr Activation<T> hardsigmoid = activation<T, Hardsigmoid<T>>;

}  // namespace pynet::PYNET_ISA
