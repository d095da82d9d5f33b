// Squared errors, for MSE (divided by the batch) and MSELoss (divided by the number of elements).
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// value = (x - t)^2
template <class T>
struct SquaredError {
    static constexpr Index grain = cheap_grain;
    explicit SquaredError(const LossOptions&) {}

    double value(double x, double t) const { return (x - t) * (x - t); }
    double gradient(double x, double t) const { return 2 * (x - t); }
};

template <class T>
constexpr Loss<T> mse = element_loss<T, SquaredError<T>>;

}  // namespace pynet::PYNET_ISA
