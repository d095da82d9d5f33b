// Absolute errors.
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// value = |x - t|;  at 0 its gradient is 0.
template <class T>
struct AbsoluteError {
    static constexpr Index grain = cheap_grain;
    explicit AbsoluteError(const LossOptions&) {}

    double value(double x, double t) const { return magnitude(x - t); }
    double gradient(double x, double t) const { return sign(x - t); }
};

template <class T>
constexpr Loss<T> l1_loss = element_loss<T, AbsoluteError<T>>;

}  // namespace pynet::PYNET_ISA
