// Softsign maps scores to (-1, 1), and saturates slowly.
#pragma once

#include "activation.hpp"
#include "math.hpp"

namespace pynet::PYNET_ISA {

// value = x / (1 + |x|);  derivative = 1 / (1 + |x|)^2.
template <class T>
struct Softsign {
    static constexpr Index grain = cheap_grain;
    static constexpr T far = T(0x1p60);  // where 1 + |x| is |x|, so that infinity is like its neighbours
    T value(T x) const {
        const T near = within(x, far);
        return near / (1 + magnitude(near));
    }
    T gradient(T x, T grad) const {
        const T y = 1 / (1 + magnitude(x));
        return grad * y * y;
    }
};

template <class T>
constexpr Activation<T> softsign = activation<T, Softsign<T>>;

}  // namespace pynet::PYNET_ISA
