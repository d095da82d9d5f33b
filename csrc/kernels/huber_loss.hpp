// Huber's loss: squared errors that go on as straight lines.
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// With e = x - t: value = e^2 / 2 where |e| < delta, else delta (|e| - delta / 2).
template <class T>
struct HuberError {
    static constexpr Index grain = cheap_grain;
    double delta;
    explicit HuberError(const LossOptions& options) : delta(options.number) {}

    double value(double x, double t) const {
        const double e = magnitude(x - t);
        return e < delta ? 0.5 * e * e : delta * (e - 0.5 * delta);
    }
    double gradient(double x, double t) const {
        const double e = x - t;
        return e > delta ? delta : e < -delta ? -delta : e;
    }
};

template <class T>
constexpr Loss<T> huber_loss = element_loss<T, HuberError<T>>;

}  // namespace pynet::PYNET_ISA
