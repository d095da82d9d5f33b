// Adam and AdamW: steps of a size of their own for every parameter, from running means of gradients and their squares.
#pragma once

#include "blocks.hpp"
#include "gradients.hpp"
#include "runtime/denormals.hpp"

namespace pynet {

struct AdamOptions {
    double lr, beta1, beta2, eps, weight_decay;
    bool decoupled;  // AdamW: the decay acts on the parameter itself, not through the gradient
};

template <class T>
struct Adam {
    // g = grad + weight_decay p (Adam);  p *= 1 - lr weight_decay (AdamW);
    // m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
    // p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps),  with the corrections 1 - beta^t given
    void (*step)(T* parameter, const T* grad, T* mean, T* square, Index size, AdamOptions options, double correction1,
                 double correction2);
    // The same with grad[n, k] = factors[n] x[k], (rows, columns)
    void (*step_outer)(T* parameter, const T* factors, const T* x, T* mean, T* square, Index rows, Index columns,
                       AdamOptions options, double correction1, double correction2);
};

namespace PYNET_ISA {

template <class T, class Gradient>
[[gnu::always_inline]] inline void adam_range(T* parameter, Gradient gradient, T* mean, T* square, Index begin,
                                              Index end, AdamOptions options, double correction1, double correction2) {
    const T keep = options.decoupled ? T(1 - options.lr * options.weight_decay) : T(1);
    const T decay = options.decoupled ? T(0) : T(options.weight_decay);
    const T beta1 = T(options.beta1), beta2 = T(options.beta2), rest1 = T(1 - options.beta1),
            rest2 = T(1 - options.beta2), eps = T(options.eps);
    const T size_of_step = T(options.lr / correction1), root = T(1 / __builtin_sqrt(correction2));
#pragma omp simd
    for (Index i = begin; i < end; ++i) {
        const T p = parameter[i] * keep, g = gradient(i) + decay * p;
        const T m = beta1 * mean[i] + rest1 * g, v = beta2 * square[i] + rest2 * g * g;
        mean[i] = m;
        square[i] = v;
        parameter[i] = p - size_of_step * m / (T(__builtin_sqrt(v)) * root + eps);
    }
}

template <class T>
void adam_step(T* parameter, const T* grad, T* mean, T* square, Index size, AdamOptions options, double correction1,
               double correction2) {
    for_blocks(size, cheap_grain, [=](Index begin, Index end) {
        const FlushDenormals flush;
        adam_range(parameter, GivenGradient<T>{grad}, mean, square, begin, end, options, correction1, correction2);
    });
}

template <class T>
void adam_step_outer(T* parameter, const T* factors, const T* x, T* mean, T* square, Index rows, Index columns,
                     AdamOptions options, double correction1, double correction2) {
    const FlushDenormals flush;
    for (Index n = 0; n < rows; ++n) {
        const Index at = n * columns;
        adam_range(parameter + at, ScaledRow<T>{factors[n], x}, mean + at, square + at, 0, columns, options,
                   correction1, correction2);
    }
}

template <class T>
constexpr Adam<T> adam{adam_step<T>, adam_step_outer<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
