// SoftMax turns each row of scores into probabilities.
#pragma once

#include "exponentials.hpp"

namespace pynet {

template <class T>
struct Softmax {
    // output[n, k] = exp(input[n, k]) / sum_j exp(input[n, j]);  input, output: (batch, classes)
    void (*forward)(const T* input, T* output, Index batch, Index classes);
    // grad_input = output * (grad_output - <grad_output, output>), row by row, with the output computed anew
    void (*backward)(const T* input, const T* grad_output, T* grad_input, Index batch, Index classes);
};

namespace PYNET_ISA {

template <class T>
void normalize(T* e, double total, Index classes) {
    // A division by the rounded total costs one rounding more than dividing in double, which is slower and not needed.
    const T divisor = T(total);
#pragma omp simd
    for (Index k = 0; k < classes; ++k) e[k] /= divisor;
}

template <class T>
void softmax_forward(const T* input, T* output, Index batch, Index classes) {
    for_blocks(batch, rows_of(costly_grain, classes), [=](Index begin, Index end) {
        for_exponentials(input, output, begin, end, classes,
                         [=](Index, const RowSummary<T>& row, T* e) { normalize(e, row.total(), classes); });
    });
}

template <class T>
void softmax_backward(const T* input, const T* grad_output, T* grad_input, Index batch, Index classes) {
    for_blocks(batch, rows_of(costly_grain, classes), [=](Index begin, Index end) {
        for_exponentials(input, grad_input, begin, end, classes, [=](Index n, const RowSummary<T>& row, T* dx) {
            const T* dy = grad_output + n * classes;
            normalize(dx, row.total(), classes);
            double dot = 0;
#pragma omp simd reduction(+ : dot)
            for (Index k = 0; k < classes; ++k) dot += double(dx[k]) * double(dy[k]);
#pragma omp simd
            for (Index k = 0; k < classes; ++k) dx[k] *= T(double(dy[k]) - dot);
        });
    });
}

template <class T>
constexpr Softmax<T> softmax{softmax_forward<T>, softmax_backward<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
