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
    // The same at the scores of which input is the softmax, with a = target input / clip(input, 1e-15, 1 - 1e-15):
    // grad_scores[n, k] = (input[n, k] sum_j a[n, j] - a[n, k]) * scale
    void (*backward_through_softmax)(const T* input, const T* target, const std::int64_t* labels, T* grad_scores,
                                     Index batch, Index classes, double scale);
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

// p / clip(p): 1, but for probabilities that are clipped
template <class T>
double unclipped_share(T p) {
    return double(p) / double(clip(p, 1e-15));
}

template <class T>
void cross_entropy_backward_through_softmax(const T* input, const T* target, const std::int64_t* labels, T* grad_scores,
                                            Index batch, Index classes, double scale) {
    for_blocks(batch, rows_of(cheap_grain, classes), [=](Index begin, Index end) {
        for (Index n = begin; n < end; ++n) {
            const T* p = input + n * classes;
            T* dx = grad_scores + n * classes;
            if (labels) {
                const Index label = labels[n];
                const double share = unclipped_share(p[label]);
                for (Index k = 0; k < classes; ++k) dx[k] = T(double(p[k]) * share * scale);
                dx[label] = T((double(p[label]) * share - share) * scale);
                continue;
            }
            const T* t = target + n * classes;
            double sum = 0;
            for (Index k = 0; k < classes; ++k) sum += double(t[k]) * unclipped_share(p[k]);
            for (Index k = 0; k < classes; ++k) {
                dx[k] = T((double(p[k]) * sum - double(t[k]) * unclipped_share(p[k])) * scale);
            }
        }
    });
}

template <class T>
constexpr CrossEntropy<T> cross_entropy{cross_entropy_forward<T>, cross_entropy_backward<T>,
                                        cross_entropy_backward_through_softmax<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
