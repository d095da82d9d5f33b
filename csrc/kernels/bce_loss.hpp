// Binary cross-entropy of probabilities.
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// value = -t max(log x, -100) - (1 - t) max(log(1 - x), -100), with which PyTorch keeps it finite;  NaN outside [0, 1].
template <class T>
struct BinaryCrossEntropy {
    static constexpr Index grain = costly_grain;
    explicit BinaryCrossEntropy(const LossOptions&) {}

    double value(T x, T t) const {
        constexpr double nan = __builtin_nan("");
        const double log_x = double(log(x));
        const double of_one = log_x < -100 ? -100 : log_x;
        // Beside 1 no number is so near that the limit would act.
        const double of_zero = x < 1 ? double(log1p(-x)) : x == 1 ? -100 : nan;
        const double loss = -double(t) * of_one - (1 - double(t)) * of_zero;
        return t < 0 || t > 1 ? nan : loss;
    }
    double gradient(double x, double t) const {
        const double slope = x * (1 - x);
        return (x - t) / (slope < 1e-12 ? 1e-12 : slope);
    }
};

template <class T>
constexpr Loss<T> bce_loss = element_loss<T, BinaryCrossEntropy<T>>;

}  // namespace pynet::PYNET_ISA
