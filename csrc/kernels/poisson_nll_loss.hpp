// Negative log-likelihood of counts under Poisson distributions.
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// log(t!) by Stirling's formula for t > 1, else 0: what does not depend on the input.
template <class T>
double log_factorial(T t) {
    const double log_t = double(log(t)), log_two_pi = 1.8378770664093455;
    return t > 1 ? double(t) * log_t - double(t) + 0.5 * (log_two_pi + log_t) : 0.0;
}

// value = e^x - t x for the logarithms x of the expected counts
template <class T, bool full>
struct PoissonOfLogs {
    static constexpr Index grain = costly_grain;
    explicit PoissonOfLogs(const LossOptions&) {}

    double value(T x, T t) const {
        const double loss = double(exp(x)) - double(t) * double(x);
        return full ? loss + log_factorial(t) : loss;
    }
    double gradient(T x, T t) const { return double(exp(x)) - double(t); }
};

// value = x - t log(x + eps) for the expected counts x
template <class T, bool full>
struct Poisson {
    static constexpr Index grain = costly_grain;
    double eps;
    explicit Poisson(const LossOptions& options) : eps(options.number) {}

    double value(T x, T t) const {
        const T rate = T(double(x) + eps);
        // What rate was rounded by would be an error of its logarithm, and large where that is near 0.
        const double rounded = (double(x) - double(rate)) + eps;
        const double log_rate = double(log(rate)) + (rate > 0 ? rounded / double(rate) : 0.0);
        const double loss = double(x) - double(t) * log_rate;
        return full ? loss + log_factorial(t) : loss;
    }
    double gradient(double x, double t) const { return 1 - t / (x + eps); }
};

template <class T>
double poisson_nll_loss_forward(const T* input, const T* target, T* losses, Index rows, Index columns,
                                LossOptions options) {
    const auto of_logs =
        options.full ? element_losses<T, PoissonOfLogs<T, true>> : element_losses<T, PoissonOfLogs<T, false>>;
    const auto of_counts = options.full ? element_losses<T, Poisson<T, true>> : element_losses<T, Poisson<T, false>>;
    return (options.of_logs ? of_logs : of_counts)(input, target, losses, rows, columns, options);
}

template <class T>
void poisson_nll_loss_backward(const T* input, const T* target, T* grad_input, Index rows, Index columns,
                               LossOptions options, double scale) {
    const auto backward =
        options.of_logs ? element_gradients<T, PoissonOfLogs<T, false>> : element_gradients<T, Poisson<T, false>>;
    backward(input, target, grad_input, rows, columns, options, scale);
}

template <class T>
constexpr Loss<T> poisson_nll_loss{poisson_nll_loss_forward<T>, poisson_nll_loss_backward<T>};

}  // namespace pynet::PYNET_ISA
