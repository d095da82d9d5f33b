// Adam and AdamW: steps of a size of their own for every parameter, from running means of gradients and their squares.
#pragma once

#include "update.hpp"

namespace pynet {

struct AdamOptions {
    double lr, beta1, beta2, eps, weight_decay;
    bool decoupled;  // AdamW: the decay acts on the parameter itself, not through the gradient

    struct Moment {
        double correction1, correction2;  // 1 - beta^t
    };
    template <class T>
    static constexpr auto kernel = &Kernels<T>::adam;
};

namespace PYNET_ISA {

// g = grad + weight_decay p (Adam);  p *= 1 - lr weight_decay (AdamW);
// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
// p -= lr m / correction1 / (sqrt(v / correction2) + eps);  states: m, v
template <class T, class Gradient>
[[gnu::always_inline]] inline void update(T* parameter, Gradient gradient, States<T> states, Index begin, Index end,
                                          AdamOptions options, AdamOptions::Moment moment) {
    T *const mean = states.of[0], *const square = states.of[1];
    const T keep = options.decoupled ? T(1 - options.lr * options.weight_decay) : T(1);
    const T decay = options.decoupled ? T(0) : T(options.weight_decay);
    const T beta1 = T(options.beta1), beta2 = T(options.beta2), rest1 = T(1 - options.beta1),
            rest2 = T(1 - options.beta2), eps = T(options.eps);
    const T size_of_step = T(options.lr / moment.correction1), root = T(1 / __builtin_sqrt(moment.correction2));
#pragma omp simd
    for (Index i = begin; i < end; ++i) {
        const T p = parameter[i] * keep, g = gradient(i) + decay * p;
        const T m = beta1 * mean[i] + rest1 * g, v = beta2 * square[i] + rest2 * g * g;
        mean[i] = m;
        square[i] = v;
        parameter[i] = p - size_of_step * m / (T(__builtin_sqrt(v)) * root + eps);
    }
}

}  // namespace PYNET_ISA
}  // namespace pynet
