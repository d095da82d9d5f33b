// SGD: a step against the gradient, with momentum on request.
#pragma once

#include "blocks.hpp"
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
};

namespace PYNET_ISA {

template <class T>
void sgd_step(T* parameter, const T* grad, T* velocity, Index size, SgdOptions options, bool first) {
    const T lr = T(options.lr), decay = T(options.weight_decay), momentum = T(options.momentum);
    const T take = T(1 - options.dampening);
    const bool nesterov = options.nesterov;
    const bool plain = !first && decay == 0 && take == 1 && !nesterov;  // the usual case, for half the operations
    for_blocks(size, cheap_grain, [=](Index begin, Index end) {
        const FlushDenormals flush;
        if (!velocity) {
#pragma omp simd
            for (Index i = begin; i < end; ++i) parameter[i] -= lr * (grad[i] + decay * parameter[i]);
        } else if (plain) {
#pragma omp simd
            for (Index i = begin; i < end; ++i) {
                const T v = momentum * velocity[i] + grad[i];
                velocity[i] = v;
                parameter[i] -= lr * v;
            }
        } else {
#pragma omp simd
            for (Index i = begin; i < end; ++i) {
                const T g = grad[i] + decay * parameter[i];
                const T v = first ? g : momentum * velocity[i] + take * g;
                velocity[i] = v;
                parameter[i] -= lr * (nesterov ? g + momentum * v : v);
            }
        }
    });
}

template <class T>
constexpr Sgd<T> sgd{sgd_step<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
