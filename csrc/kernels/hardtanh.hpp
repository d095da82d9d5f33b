// Hardtanh cuts off what is beyond two limits.
#pragma once

#include "activation.hpp"

namespace pynet::PYNET_ISA {

// value = min(max(x, least), most), and a NaN stays NaN;  the derivative is 1 between the limits and 0 at them.
template <class T>
struct Hardtanh {
    static constexpr Index grain = cheap_grain;
    T least, most;
    T value(T x) const { return x < least ? least : x > most ? most : x; }
    T gradient(T x, T grad) const {
        const T below = x <= least ? T(0) : grad;
        return x >= most ? T(0) : below;
    }
};

template <class T>
constexpr Activation<T, T, T> hardtanh = activation<T, Hardtanh<T>, T, T>;

}  // namespace pynet::PYNET_ISA
