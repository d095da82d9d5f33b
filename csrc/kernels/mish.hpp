// Mish weighs its input with the tanh of its softplus.
#pragma once

#include "activation.hpp"
#include "math.hpp"

namespace pynet::PYNET_ISA {

// value = x tanh(log(1 + e^x)) = x n / d, where with t = e^-|x|
//   n = 1 + 2 t, d = n + 2 t^2 for x >= 0, and n = t (2 + t), d = n + 2 for x < 0.
// derivative = n / d + 4 x t^2 (1 + t) / d^2, with t instead of t^2 for x < 0.
template <class T>
struct Mish {
    static constexpr Index grain = costly_grain;

    struct Parts {
        Exponential<T> e;
        T t, over, under;  // over: n, without the factor t that it has for x < 0
    };
    [[gnu::always_inline]] static Parts parts(T x) {
        const Exponential<T> e = exponential(-magnitude(x), T(0));
        const T t = e.value();
        const T over = x < 0 ? 2 + t : multiply_add(T(2), t, T(1));
        return {e, t, over, x < 0 ? multiply_add(t, over, T(2)) : multiply_add(2 * t, t, over)};
    }

    T value(T x) const {
        const Parts p = parts(x);
        const T y = (x < 0 ? within(x, Real<T>::exp_limit) : x) * (p.over / p.under);
        return x < 0 ? p.e.times(y) : y;
    }
    T gradient(T x, T grad) const {
        const Parts p = parts(x);
        const T near = within(x, Real<T>::exp_limit);
        const T term = 4 * near * (x < 0 ? T(1) : p.t * p.t) * (1 + p.t);
        const T y = multiply_add(p.over, p.under, term) / (p.under * p.under);
        return (x < 0 ? p.e.times(y) : y) * grad;
    }
};

template <class T>
constexpr Activation<T> mish = activation<T, Mish<T>>;

}  // namespace pynet::PYNET_ISA
