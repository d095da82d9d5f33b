// Adagrad: steps that get smaller with all that a parameter's gradients have summed up to.
#pragma once

#include "update.hpp"

namespace pynet {

struct AdagradOptions {
    double lr, lr_decay, weight_decay, eps;

    struct Moment {
        double share;  // 1 / (1 + (t - 1) lr_decay)
    };
    template <class T>
    static constexpr auto kernel = &Kernels<T>::adagrad;
};

namespace PYNET_ISA {

// g = grad + weight_decay p;  sum += g^2;  p -= lr share g / (sqrt(sum) + eps);  states: sum
template <class T, class Gradient>
[[gnu::always_inline]] inline void update(T* parameter, Gradient gradient, States<T> states, Index begin, Index end,
                                          AdagradOptions options, AdagradOptions::Moment moment) {
    T* const sum = states.of[0];
    const T lr = T(options.lr * moment.share), decay = T(options.weight_decay), eps = T(options.eps);
#pragma omp simd
    for (Index i = begin; i < end; ++i) {
        const T g = gradient(i) + decay * parameter[i], s = sum[i] + g * g;
        sum[i] = s;
        parameter[i] -= lr * g / (T(__builtin_sqrt(s)) + eps);
    }
}

}  // namespace PYNET_ISA
}  // namespace pynet
