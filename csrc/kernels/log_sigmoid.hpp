// LogSigmoid turns scores into logarithms of probabilities.
#pragma once

#include "activation.hpp"
#include "math.hpp"

namespace pynet::PYNET_ISA {

// value = log(1 / (1 + e^-x)), whose two terms have one sign: nothing cancels;  derivative = sigmoid(-x).
template <class T>
struct LogSigmoid {
    static constexpr Index grain = costly_grain;
    T value(T x) const { return (x < 0 ? x : T(0)) - log1p(exp(-magnitude(x))); }
    T gradient(T x, T grad) const { return sigmoid(-x) * grad; }
};

template <class T>
constexpr Activation<T> log_sigmoid = activation<T, LogSigmoid<T>>;

}  // namespace pynet::PYNET_ISA
