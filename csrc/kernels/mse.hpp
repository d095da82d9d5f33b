// Squared errors, for MSE (divided by the batch) and MSELoss (divided by the number of elements).
#pragma once

#include "blocks.hpp"

namespace pynet {

template <class T>
struct Mse {
    // sum_i (input[i] - target[i])^2, in double; every term goes to losses[i] as well unless that is null
    double (*forward)(const T* input, const T* target, T* losses, Index size);
    // grad_input = scale (input - target);  scale is 2 over whatever the loss is divided by
    void (*backward)(const T* input, const T* target, T* grad_input, Index size, double scale);
};

namespace PYNET_ISA {

template <class T>
double mse_forward(const T* input, const T* target, T* losses, Index size) {
    return sum_blocks(size, cheap_grain, [=](Index begin, Index end) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (Index i = begin; i < end; ++i) {
            const double error = double(input[i]) - double(target[i]);
            sum += error * error;
            if (losses) losses[i] = T(error * error);
        }
        return sum;
    });
}

template <class T>
void mse_backward(const T* input, const T* target, T* grad_input, Index size, double scale) {
    for_blocks(size, cheap_grain, [=](Index begin, Index end) {
#pragma omp simd
        for (Index i = begin; i < end; ++i) grad_input[i] = T((double(input[i]) - double(target[i])) * scale);
    });
}

template <class T>
constexpr Mse<T> mse{mse_forward<T>, mse_backward<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
