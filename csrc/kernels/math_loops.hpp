// The functions of math.hpp on arrays, for the tests and for code that is not a kernel itself.
#pragma once

#include "math.hpp"

namespace pynet {

template <class T>
struct Math {
    using Function = void (*)(const T* input, T* output, Index size);
    Function exp;
    void (*exp_minus)(const T* input, T maximum, T* output, Index size);
    Function log, log1p, tanh, sigmoid, tanh_derivative, sigmoid_derivative;
};

}  // namespace pynet

namespace pynet::PYNET_ISA {

// The output may be the input itself.
template <class T, T (*function)(T)>
void for_each(const T* input, T* output, Index size) {
#pragma omp simd
    for (Index i = 0; i < size; ++i) output[i] = function(input[i]);
}

template <class T>
void for_each_exp_minus(const T* input, T maximum, T* output, Index size) {
#pragma omp simd
    for (Index i = 0; i < size; ++i) output[i] = exp_minus(input[i], maximum);
}

template <class T>
constexpr Math<T> math{for_each<T, exp>,
                       for_each_exp_minus<T>,
                       for_each<T, log>,
                       for_each<T, log1p>,
                       for_each<T, tanh>,
                       for_each<T, sigmoid>,
                       for_each<T, tanh_derivative>,
                       for_each<T, sigmoid_derivative>};

}  // namespace pynet::PYNET_ISA
