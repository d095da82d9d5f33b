// The two loops of every element-wise activation, written once.
#pragma once

#include "blocks.hpp"

namespace pynet {

// output[i] = f(input[i]);  grad_input[i] = f'(input[i]) * grad_output[i];  any shape, `size` elements.
template <class T, class... Parameters>
struct Activation {
    void (*forward)(const T* input, T* output, Index size, Parameters... parameters);
    void (*backward)(const T* input, const T* grad_output, T* grad_input, Index size, Parameters... parameters);
};

namespace PYNET_ISA {

// F<T>{parameters...} has value(x), gradient(x, g) and the grain its cost asks for.
template <class T, class F, class... Parameters>
void activation_forward(const T* input, T* output, Index size, Parameters... parameters) {
    const F f{parameters...};
    for_blocks(size, F::grain, [=](Index begin, Index end) {
#pragma omp simd
        for (Index i = begin; i < end; ++i) output[i] = f.value(input[i]);
    });
}

template <class T, class F, class... Parameters>
void activation_backward(const T* input, const T* grad_output, T* grad_input, Index size, Parameters... parameters) {
    const F f{parameters...};
    for_blocks(size, F::grain, [=](Index begin, Index end) {
#pragma omp simd
        for (Index i = begin; i < end; ++i) grad_input[i] = f.gradient(input[i], grad_output[i]);
    });
}

template <class T, class F, class... Parameters>
constexpr Activation<T, Parameters...> activation{activation_forward<T, F, Parameters...>,
                                                  activation_backward<T, F, Parameters...>};

}  // namespace PYNET_ISA
}  // namespace pynet
