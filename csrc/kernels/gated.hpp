// What SiLU and GELU's tanh form share: an input times a sigmoid, with its digits kept far left.
#pragma once

#include "math.hpp"

namespace pynet::PYNET_ISA {

// x sigmoid(v - excess), where x has the sign of v unless it is 1; x = -inf counts as a number far left.
template <class T>
[[gnu::always_inline]] inline T gated(T x, T v, T excess) {
    const Exponential<T> e = exponential(-magnitude(v), v < 0 ? excess : -excess);
    const T y = (v < 0 ? within(x, Real<T>::exp_limit) : x) / (1 + e.value());
    return v < 0 ? e.times(y) : y;
}

// s + z s (1 - s) for s = sigmoid(v - excess), the derivative of the above with z = x dv/dx; z finite.
template <class T>
[[gnu::always_inline]] inline T gated_derivative(T v, T excess, T z) {
    const Exponential<T> e = exponential(-magnitude(v), v < 0 ? excess : -excess);
    const T t = e.value(), under = 1 + t;
    const T y = (v < 0 ? under + z : multiply_add(t, 1 + z, T(1))) / (under * under);
    return v < 0 ? e.times(y) : y;
}

}  // namespace pynet::PYNET_ISA
