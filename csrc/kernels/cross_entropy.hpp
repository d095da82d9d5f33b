// CrossEntropy between probabilities and targets, with the notebook's clips.
#pragma once

#include "blocks.hpp"
#include "math.hpp"

namespace pynet {

// input: (batch, classes) probabilities.  Targets are rows of probabilities, or one label per row where labels is not
// null: then target may be null.
template <class T>
struct CrossEntropy {
    // -sum_nk target[n, k] log clip(input[n, k], 1e-9, 1 - 1e-9), in double
    double (*forward)(const T* input, const T* target, const std::int64_t* labels, Index batch, Index classes);
    // grad_input = -target / clip(input, 1e-15, 1 - 1e-15) * scale
    void (*backward)(const T* input, const T* target, const std::int64_t* labels, T* grad_input, Index batch,
                     Index classes, double scale);
};

namespace PYNET_ISA {

// A NaN stays NaN.
template <class T>
T clip(T x, double margin) {
    const T low = T(margin), high = T(1 - margin);
    return x < low ? low : x > high ? high : x;
}

template <class T>
double cross_entropy_forward(const T* input, const T* target, const std::int64_t* labels, Index batch, Index classes) {
    if (labels) {
        return sum_blocks(batch, costly_grain, [=](Index begin, Index end) {
            double sum = 0;
            for (Index n = begin; n < end; ++n) sum -= double(log(clip(input[n * classes + labels[n]], 1e-9)));
            return sum;
        });
    }
    return sum_blocks(batch * classes, costly_grain, [=](Index begin, Index end) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (Index i = begin; i < end; ++i) sum -= double(target[i]) * double(log(clip(input[i], 1e-9)));
        return sum;
    });
}

template <class T>
void cross_entropy_backward(const T* input, const T* target, const std::int64_t* labels, T* grad_input, Index batch,
                            Index classes, double scale) {
    if (labels) {
        return for_blocks(batch, rows_of(cheap_grain, classes), [=](Index begin, Index end) {
            for (Index n = begin; n < end; ++n) {
                T* dx = grad_input + n * classes;
                for (Index k = 0; k < classes; ++k) dx[k] = 0;
                dx[labels[n]] = T(-scale / double(clip(input[n * classes + labels[n]], 1e-15)));
            }
        });
    }
    for_blocks(batch * classes, cheap_grain, [=](Index begin, Index end) {
#pragma omp simd
        for (Index i = begin; i < end; ++i)
            grad_input[i] = T(-double(target[i]) / double(clip(input[i], 1e-15)) * scale);
    });
}

template <class T>
constexpr CrossEntropy<T> cross_entropy{cross_entropy_forward<T>, cross_entropy_backward<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
