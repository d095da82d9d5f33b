// Absolute errors that are squared near 0, so that they have a gradient there.
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// With e = x - t: value = e^2 / (2 beta) where |e| < beta, else |e| - beta / 2.
template <class T>
struct SmoothAbsoluteError {
    static constexpr Index grain = cheap_grain;
    double beta;
    explicit SmoothAbsoluteError(const LossOptions& options) : beta(options.number) {}

    double value(double x, double t) const {
        const double e = magnitude(x - t);
        return e < beta ? 0.5 * e * e / beta : e - 0.5 * beta;
    }
    double gradient(double x, double t) const {
        const double e = x - t;
        return magnitude(e) < beta ? e / beta : sign(e);
    }
};

template <class T>
constexpr Loss<T> smooth_l1_loss = element_loss<T, SmoothAbsoluteError<T>>;

}  // namespace pynet::PYNET_ISA
