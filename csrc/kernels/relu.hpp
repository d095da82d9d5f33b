// ReLU keeps what is positive.
#pragma once

#include "activation.hpp"

namespace pynet::PYNET_ISA {

// value = max(x, 0), and a NaN stays NaN. The gradient is selected, not multiplied by a mask: no 0 * inf.
template <class T>
struct ReLU {
    static constexpr Index grain = cheap_grain;
    T value(T x) const { return x <= 0 ? T(0) : x; }
    T gradient(T x, T grad) const { return x <= 0 ? T(0) : grad; }
};

template <class T>
constexpr Activation<T> relu = activation<T, ReLU<T>>;

}  // namespace pynet::PYNET_ISA
