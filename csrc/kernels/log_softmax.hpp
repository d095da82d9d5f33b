// LogSoftMax turns each row of scores into logarithms of probabilities.
#pragma once

#include "exponentials.hpp"

namespace pynet {

template <class T>
struct LogSoftmax {
    // output[n, k] = input[n, k] - log sum_j exp(input[n, j]);  input, output: (batch, classes)
    void (*forward)(const T* input, T* output, Index batch, Index classes);
    // grad_input = grad_output - softmax(input) * sum_k grad_output[n, k]
    void (*backward)(const T* input, const T* grad_output, T* grad_input, Index batch, Index classes);
};

namespace PYNET_ISA {

// Both terms of (x - maximum) - log(1 + others) have the same sign: nothing cancels, at any scale.
template <class T>
void log_softmax_forward(const T* input, T* output, Index batch, Index classes) {
    for_blocks(batch, rows_of(costly_grain, classes), [=](Index begin, Index end) {
        for_exponentials(input, static_cast<T*>(nullptr), begin, end, classes, Unscaled{},
                         [=](Index n, const RowSummary<T>& row, const T*) {
                             const T* x = input + n * classes;
                             T* y = output + n * classes;
                             const double maximum = double(row.maximum), log_total = row.log_total;
#pragma omp simd
                             for (Index k = 0; k < classes; ++k) y[k] = T((double(x[k]) - maximum) - log_total);
                         });
    });
}

template <class T>
void log_softmax_backward(const T* input, const T* grad_output, T* grad_input, Index batch, Index classes) {
    for_blocks(batch, rows_of(costly_grain, classes), [=](Index begin, Index end) {
        for_exponentials(input, grad_input, begin, end, classes, Unscaled{},
                         [=](Index n, const RowSummary<T>& row, T* dx) {
                             const T* dy = grad_output + n * classes;
                             double sum = 0;
#pragma omp simd reduction(+ : sum)
                             for (Index k = 0; k < classes; ++k) sum += double(dy[k]);
                             const double scale = sum / row.total();
#pragma omp simd
                             for (Index k = 0; k < classes; ++k) dx[k] = T(double(dy[k]) - double(dx[k]) * scale);
                         });
    });
}

template <class T>
constexpr LogSoftmax<T> log_softmax{log_softmax_forward<T>, log_softmax_backward<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
