// Adadelta: steps as large as those before, in proportion to the gradients before.
#pragma once

#include "update.hpp"

namespace pynet {

struct AdadeltaOptions {
    double lr, rho, eps, weight_decay;

    struct Moment {};
    template <class T>
    static constexpr auto kernel = &Kernels<T>::adadelta;
};

namespace PYNET_ISA {

// g = grad + weight_decay p;  v = rho v + (1 - rho) g^2;  d = g sqrt(u + eps) / sqrt(v + eps);
// u = rho u + (1 - rho) d^2;  p -= lr d;  states: v, u
template <class T, class Gradient>
[[gnu::always_inline]] inline void update(T* parameter, Gradient gradient, States<T> states, Index begin, Index end,
                                          AdadeltaOptions options, AdadeltaOptions::Moment) {
    T *const square = states.of[0], *const delta = states.of[1];
    const T lr = T(options.lr), decay = T(options.weight_decay), eps = T(options.eps);
    const T rho = T(options.rho), rest = T(1 - options.rho);
#pragma omp simd
    for (Index i = begin; i < end; ++i) {
        const T g = gradient(i) + decay * parameter[i], v = rho * square[i] + rest * g * g;
        const T d = T(__builtin_sqrt(delta[i] + eps)) / T(__builtin_sqrt(v + eps)) * g;
        square[i] = v;
        delta[i] = rho * delta[i] + rest * d * d;
        parameter[i] -= lr * d;
    }
}

}  // namespace PYNET_ISA
}  // namespace pynet
