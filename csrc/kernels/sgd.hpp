// SGD: a step against the gradient, with momentum on request.
#pragma once

#include "blocks.hpp"
#include "gradients.hpp"
#include "runtime/denormals.hpp"

namespace pynet {

struct SgdOptions {
    double lr, momentum, dampening, weight_decay;
    bool nesterov;
};

template <class T>
struct Sgd {
    // g = grad + weight_decay p;  v = first ? g : momentum v + (1 - dampening) g;
    // p -= lr (no momentum ? g : nesterov ? g + momentum v : v);  velocity may be null without momentum
    void (*step)(T* parameter, const T* grad, T* velocity, Index size, SgdOptions options, bool first);
    // The same with grad[n, k] = factors[n] x[k], (rows, columns)
    void (*step_outer)(T* parameter, const T* factors, const T* x, T* velocity, Index rows, Index columns,
                       SgdOptions options, bool first);
};

namespace PYNET_ISA {

template <class T, class Gradient>
[[gnu::always_inline]] inline void sgd_range(T* parameter, Gradient gradient, T* velocity, Index begin, Index end,
                                             SgdOptions options, bool first) {
    const T lr = T(options.lr), decay = T(options.weight_decay), momentum = T(options.momentum);
    const T take = T(1 - options.dampening);
    const bool nesterov = options.nesterov;
    const bool plain = !first && decay == 0 && take == 1 && !nesterov;  // the usual case, for half the operations
    if (!velocity) {
#pragma omp simd
        for (Index i = begin; i < end; ++i) parameter[i] -= lr * (gradient(i) + decay * parameter[i]);
    } else if (plain) {
#pragma omp simd
        for (Index i = begin; i < end; ++i) {
            const T v = momentum * velocity[i] + gradient(i);
            velocity[i] = v;
            parameter[i] -= lr * v;
        }
    } else {
#pragma omp simd
        for (Index i = begin; i < end; ++i) {
            const T g = gradient(i) + decay * parameter[i];
            const T v = first ? g : momentum * velocity[i] + take * g;
            velocity[i] = v;
            parameter[i] -= lr * (nesterov ? g + momentum * v : v);
        }
    }
}

template <class T>
void sgd_step(T* parameter, const T* grad, T* velocity, Index size, SgdOptions options, bool first) {
    for_blocks(size, cheap_grain, [=](Index begin, Index end) {
        const FlushDenormals flush;
        sgd_range(parameter, GivenGradient<T>{grad}, velocity, begin, end, options, first);
    });
}

template <class T>
void sgd_step_outer(T* parameter, const T* factors, const T* x, T* velocity, Index rows, Index columns,
                    SgdOptions options, bool first) {
    const FlushDenormals flush;
    for (Index n = 0; n < rows; ++n) {
        T* v = velocity ? velocity + n * columns : nullptr;
        sgd_range(parameter + n * columns, ScaledRow<T>{factors[n], x}, v, 0, columns, options, first);
    }
}

template <class T>
constexpr Sgd<T> sgd{sgd_step<T>, sgd_step_outer<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
