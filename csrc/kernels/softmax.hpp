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

// For for_exponentials: to probabilities.
struct Normalized {
    template <class T>
    T operator()(Index, const RowSummary<T>& row) const {
        return T(1 / row.total());
    }
};

template <class T>
void softmax_forward(const T* input, T* output, Index batch, Index classes) {
    for_blocks(batch, rows_of(costly_grain, classes), [=](Index begin, Index end) {
        for_exponentials(input, output, begin, end, classes, Normalized{}, [](Index, const RowSummary<T>&, T*) {});
    });
}

template <class T>
void softmax_backward(const T* input, const T* grad_output, T* grad_input, Index batch, Index classes) {
    for_blocks(batch, rows_of(costly_grain, classes), [=](Index begin, Index end) {
        for_exponentials(input, grad_input, begin, end, classes, Unscaled{},
                         [=](Index n, const RowSummary<T>& row, T* dx) {
                             const T* dy = grad_output + n * classes;
                             double dot = 0;
#pragma omp simd reduction(+ : dot)
                             for (Index k = 0; k < classes; ++k) dot += double(dx[k]) * double(dy[k]);
                             const double scale = 1 / row.total(), mean = dot * scale;
#pragma omp simd
                             for (Index k = 0; k < classes; ++k)
                                 dx[k] = T(double(dx[k]) * scale * (double(dy[k]) - mean));
                         });
    });
}

template <class T>
constexpr Softmax<T> softmax{softmax_forward<T>, softmax_backward<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
