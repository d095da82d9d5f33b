// Kullback-Leibler divergence of log-probabilities from a distribution.
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// value = t (log t - x) for probabilities t;  where one is 0 nothing, unless x is NaN.
template <class T>
struct Divergence {
    static constexpr Index grain = costly_grain;
    explicit Divergence(const LossOptions&) {}

    double value(T x, T t) const {
        const double loss = double(t) * (double(log(t)) - double(x));
        return t == 0 && x == x ? 0.0 : loss;
    }
    double gradient(T, T t) const { return -double(t); }
};

// value = e^t (t - x) for their logarithms t, likewise.
template <class T>
struct DivergenceOfLogs {
    static constexpr Index grain = costly_grain;
    explicit DivergenceOfLogs(const LossOptions&) {}

    double value(T x, T t) const {
        const double p = double(exp(t)), loss = p * (double(t) - double(x));
        return p == 0 && x == x ? 0.0 : loss;
    }
    double gradient(T, T t) const { return -double(exp(t)); }
};

template <class T>
double kl_div_loss_forward(const T* input, const T* target, T* losses, Index rows, Index columns, LossOptions options) {
    const auto forward = options.of_logs ? element_losses<T, DivergenceOfLogs<T>> : element_losses<T, Divergence<T>>;
    return forward(input, target, losses, rows, columns, options);
}

template <class T>
void kl_div_loss_backward(const T* input, const T* target, T* grad_input, Index rows, Index columns,
                          LossOptions options, double scale) {
    const auto backward =
        options.of_logs ? element_gradients<T, DivergenceOfLogs<T>> : element_gradients<T, Divergence<T>>;
    backward(input, target, grad_input, rows, columns, options, scale);
}

template <class T>
constexpr Loss<T> kl_div_loss{kl_div_loss_forward<T>, kl_div_loss_backward<T>};

}  // namespace pynet::PYNET_ISA
