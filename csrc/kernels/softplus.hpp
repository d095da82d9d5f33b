// Softplus is a ReLU without a kink.
#pragma once

#include "activation.hpp"
#include "gated.hpp"

namespace pynet::PYNET_ISA {

// value = log(1 + e^(beta x)) / beta, and x where beta x > threshold;  derivative = sigmoid(beta x), and 1 there.
template <class T>
struct Softplus {
    static constexpr Index grain = costly_grain;
    T beta, threshold;

    T value(T x) const {
        const T v = beta * x, excess = -product_error(beta, x, v);
        const T t = exp_of_rounded(-magnitude(v), v < 0 ? excess : -excess);
        return v > threshold ? x : ((v < 0 ? T(0) : v) + log1p(t)) / beta;
    }
    T gradient(T x, T grad) const {
        const T v = beta * x;
        return v > threshold ? grad : gated(T(1), v, -product_error(beta, x, v)) * grad;
    }
};

template <class T>
constexpr Activation<T, T, T> softplus = activation<T, Softplus<T>, T, T>;

}  // namespace pynet::PYNET_ISA
