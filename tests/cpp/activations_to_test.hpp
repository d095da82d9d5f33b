// Every element-wise activation beside its formula, in as many digits as the formula is given.
#pragma once

#include "kernels_to_test.hpp"

// A derivative as the two terms that it is the sum of: they say how large its roundings may be where it is nearly 0.
template <class R>
struct Terms {
    R first, second = 0;
};

template <class R>
R exact_sigmoid(R x) {
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

template <class R>
R exact_softplus(R x) {
    return (x > 0 ? x : R(0)) + std::log1p(std::exp(-std::fabs(x)));
}

template <class R>
constexpr R pi = R(3.14159265358979323846264338327950288L);

// 2 sqrt(2 / pi) (x + 0.044715 x^3)
template <class R>
R gelu_argument(R x) {
    return 2 * std::sqrt(2 / pi<R>) * (x + R(0.044715L) * x * x * x);
}

// f(name, kernel, value(x), derivative(x), parameters of the kernel...), all of the kernels of one instruction set.
template <class T, class R, class F>
void each_activation(const pynet::Kernels<T>& k, const F& f) {
    f(
        "elu", k.elu, [](R x) { return x > 0 ? x : R(0.75L) * std::expm1(x); },
        [](R x) { return Terms<R>{x > 0 ? R(1) : R(0.75L) * std::exp(x)}; }, T(0.75));
    f(
        "gelu", k.gelu, [](R x) { return x * std::erfc(-x / std::sqrt(R(2))) / 2; },
        [](R x) {
            return Terms<R>{std::erfc(-x / std::sqrt(R(2))) / 2, x * std::exp(-x * x / 2) / std::sqrt(2 * pi<R>)};
        });
    f(
        "gelu_tanh", k.gelu_tanh, [](R x) { return x * exact_sigmoid(gelu_argument(x)); },
        [](R x) {
            const R s = exact_sigmoid(gelu_argument(x)), rest = exact_sigmoid(-gelu_argument(x));
            return Terms<R>{s, x * s * rest * 2 * std::sqrt(2 / pi<R>) * (1 + 3 * R(0.044715L) * x * x)};
        });
    f(
        "hardsigmoid", k.hardsigmoid, [](R x) { return x <= -3  ? R(0)
                                                       : x >= 3 ? R(1)
                                                                : (x + 3) / 6; },
        [](R x) { return Terms<R>{x > -3 && x < 3 ? 1 / R(6) : R(0)}; });
    f(
        "hardswish", k.hardswish, [](R x) { return x <= -3  ? R(0)
                                                   : x >= 3 ? x
                                                            : x * (x + 3) / 6; },
        [](R x) { return x > -3 && x < 3 ? Terms<R>{x / 3, R(0.5L)} : Terms<R>{R(x >= 3)}; });
    f(
        "hardtanh", k.hardtanh, [](R x) { return x < -1  ? R(-1)
                                                 : x > 2 ? R(2)
                                                         : x; },
        [](R x) { return Terms<R>{R(x > -1 && x < 2)}; }, T(-1), T(2));
    f(
        "log_sigmoid", k.log_sigmoid, [](R x) { return -exact_softplus(-x); },
        [](R x) { return Terms<R>{exact_sigmoid(-x)}; });
    f(
        "mish", k.mish, [](R x) { return x * std::tanh(exact_softplus(x)); },
        [](R x) {
            const R cosh = std::cosh(exact_softplus(x));
            return Terms<R>{std::tanh(exact_softplus(x)), x / cosh / cosh * exact_sigmoid(x)};
        });
    const R scale = R(1.0507009873554804934193349852946L), alpha = R(1.6732632423543772848170429916717L);
    f(
        "selu", k.selu, [=](R x) { return scale * (x > 0 ? x : alpha * std::expm1(x)); },
        [=](R x) { return Terms<R>{scale * (x > 0 ? R(1) : alpha * std::exp(x))}; });
    f(
        "silu", k.silu, [](R x) { return x * exact_sigmoid(x); },
        [](R x) { return Terms<R>{exact_sigmoid(x), x * exact_sigmoid(x) * exact_sigmoid(-x)}; });
    const auto softplus = [&](R beta, R threshold) {
        f(
            "softplus", k.softplus, [=](R x) { return beta * x > threshold ? x : exact_softplus(beta * x) / beta; },
            [=](R x) { return Terms<R>{beta * x > threshold ? R(1) : exact_sigmoid(beta * x)}; }, T(beta),
            T(threshold));
    };
    softplus(1, 20);
    softplus(R(T(0.3)), 40);  // so far that it makes no difference on which side a rounded 0.3 x is
    f(
        "softsign", k.softsign, [](R x) { return x / (1 + std::fabs(x)); },
        [](R x) { return Terms<R>{1 / (1 + std::fabs(x)) / (1 + std::fabs(x))}; });
}
