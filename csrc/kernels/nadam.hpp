// NAdam: Adam that looks ahead, as Nesterov's momentum does, with a momentum that grows.
#pragma once

#include "update.hpp"

namespace pynet {

struct NadamOptions {
    double lr, beta1, beta2, eps, weight_decay, momentum_decay;

    // With mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) the momentum of step t:
    struct Moment {
        double now;          // (1 - mu_t) / (1 - mu_1 ... mu_t)
        double ahead;        // mu_(t+1) / (1 - mu_1 ... mu_(t+1))
        double correction2;  // 1 - beta2^t
        double product;      // mu_1 ... mu_t
    };
    template <class T>
    static constexpr auto kernel = &Kernels<T>::nadam;
};

namespace PYNET_ISA {

// g = grad + weight_decay p;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
// p -= lr (now g + ahead m) / (sqrt(v / correction2) + eps);  states: m, v
template <class T, class Gradient>
[[gnu::always_inline]] inline void update(T* parameter, Gradient gradient, States<T> states, Index begin, Index end,
                                          NadamOptions options, NadamOptions::Moment moment) {
    T *const mean = states.of[0], *const square = states.of[1];
    const T decay = T(options.weight_decay), eps = T(options.eps);
    const T beta1 = T(options.beta1), beta2 = T(options.beta2), rest1 = T(1 - options.beta1),
            rest2 = T(1 - options.beta2);
    const T now = T(options.lr * moment.now), ahead = T(options.lr * moment.ahead);
    const T root = T(1 / __builtin_sqrt(moment.correction2));
#pragma omp simd
    for (Index i = begin; i < end; ++i) {
        const T g = gradient(i) + decay * parameter[i];
        const T m = beta1 * mean[i] + rest1 * g, v = beta2 * square[i] + rest2 * g * g;
        mean[i] = m;
        square[i] = v;
        parameter[i] -= (now * g + ahead * m) / (T(__builtin_sqrt(v)) * root + eps);
    }
}

}  // namespace PYNET_ISA
}  // namespace pynet
