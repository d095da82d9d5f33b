// SGD: a step against the gradient, with momentum on request.
#pragma once

#include "update.hpp"

namespace pynet {

struct SgdOptions {
    double lr, momentum, dampening, weight_decay;
    bool nesterov;

    struct Moment {
        bool first;
    };
    template <class T>
    static constexpr auto kernel = &Kernels<T>::sgd;
};

namespace PYNET_ISA {

// g = grad + weight_decay p;  v = first ? g : momentum v + (1 - dampening) g;
// p -= lr (no momentum ? g : nesterov ? g + momentum v : v);  states: v, or none without momentum
template <class T, class Gradient>
[[gnu::always_inline]] inline void update(T* parameter, Gradient gradient, States<T> states, Index begin, Index end,
                                          SgdOptions options, SgdOptions::Moment moment) {
    T* const velocity = states.of[0];
    const T lr = T(options.lr), decay = T(options.weight_decay), momentum = T(options.momentum);
    const T take = T(1 - options.dampening);
    const bool nesterov = options.nesterov, first = moment.first;
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

}  // namespace PYNET_ISA
}  // namespace pynet
