// RMSprop: steps in units of the gradients' running root mean square, or of their deviation, with momentum on request.
#pragma once

#include "update.hpp"

namespace pynet {

struct RmspropOptions {
    double lr, alpha, eps, weight_decay, momentum;
    bool centered;

    struct Moment {};
    template <class T>
    static constexpr auto kernel = &Kernels<T>::rmsprop;
};

namespace PYNET_ISA {

// g = grad + weight_decay p;  s = alpha s + (1 - alpha) g^2;  centered: m = alpha m + (1 - alpha) g, else m = 0;
// d = g / (sqrt(s - m^2) + eps);  p -= lr (no momentum ? d : v = momentum v + d);
// states: s, then v with momentum, then m if centered.
// A deviation of 0, of which rounding may make a negative square, is none: no NaN comes of it.
template <class T, class Gradient>
[[gnu::always_inline]] inline void update(T* parameter, Gradient gradient, States<T> states, Index begin, Index end,
                                          RmspropOptions options, RmspropOptions::Moment) {
    const T lr = T(options.lr), decay = T(options.weight_decay), eps = T(options.eps), momentum = T(options.momentum);
    const T alpha = T(options.alpha), rest = T(1 - options.alpha);
    T* const square = states.of[0];
    T* const velocity = options.momentum > 0 ? states.of[1] : nullptr;
    T* const mean = options.centered ? states.of[velocity ? 2 : 1] : nullptr;
    const auto direction = [=](Index i, T m) {
        const T g = gradient(i) + decay * parameter[i], s = alpha * square[i] + rest * g * g, variance = s - m * m;
        square[i] = s;
        return g / (T(__builtin_sqrt(variance < 0 ? T(0) : variance)) + eps);
    };
    const auto move = [=](Index i, T d) {
        if (velocity) velocity[i] = d = momentum * velocity[i] + d;
        parameter[i] -= lr * d;
    };
    if (mean) {
#pragma omp simd
        for (Index i = begin; i < end; ++i) {
            mean[i] = alpha * mean[i] + rest * (gradient(i) + decay * parameter[i]);
            move(i, direction(i, mean[i]));
        }
    } else {
#pragma omp simd
        for (Index i = begin; i < end; ++i) move(i, direction(i, T(0)));
    }
}

}  // namespace PYNET_ISA
}  // namespace pynet
