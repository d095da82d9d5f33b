// NLLLoss between log-probabilities and targets: CrossEntropyLoss behind a LogSoftMax.
#pragma once

#include "cross_entropy_loss.hpp"

namespace pynet {

// As CrossEntropyLoss has them, with the input itself for log softmax(input): the loss is -sum_nk a[n, k] input[n, k].
template <class T>
using NllLoss = CrossEntropyLoss<T>;

namespace PYNET_ISA {

template <class T>
double nll_loss_forward(const T* input, const T* target, const std::int64_t* labels, T* losses, Index batch,
                        Index classes, CrossEntropyLossOptions<T> options) {
    return sum_blocks(batch, labels ? cheap_grain : rows_of(cheap_grain, classes), [=](Index begin, Index end) {
        double sum = 0;
        for (Index n = begin; n < end; ++n) {
            const T* x = input + n * classes;
            const RowTarget<T> a(target, labels, n, classes, options);
            double loss = 0;
            if (a.every_class_counts()) {
#pragma omp simd reduction(+ : loss)
                for (Index k = 0; k < classes; ++k) {
                    const double share = a.of_class(k);
                    loss -= share == 0 && x[k] == x[k] ? 0.0 : share * double(x[k]);  // 0 log 0 is 0
                }
            }
            if (a.of_label() != 0) loss -= a.of_label() * double(x[a.label]);
            if (losses) losses[n] = T(loss);
            sum += loss;
        }
        return sum;
    });
}

template <class T>
void nll_loss_backward(const T*, const T* target, const std::int64_t* labels, T* grad_input, Index batch, Index classes,
                       CrossEntropyLossOptions<T> options, double scale) {
    for_blocks(batch, rows_of(cheap_grain, classes), [=](Index begin, Index end) {
        for (Index n = begin; n < end; ++n) {
            T* dx = grad_input + n * classes;
            const RowTarget<T> a(target, labels, n, classes, options);
            const bool every = a.every_class_counts();
#pragma omp simd
            for (Index k = 0; k < classes; ++k) dx[k] = every ? T(-a.of_class(k) * scale) : T(0);
            if (a.label >= 0) dx[a.label] -= T(a.of_label() * scale);
        }
    });
}

template <class T>
double nll_loss_forward_backward(const T* input, const T* target, const std::int64_t* labels, T* grad_input,
                                 Index batch, Index classes, CrossEntropyLossOptions<T> options, double scale) {
    nll_loss_backward(input, target, labels, grad_input, batch, classes, options, scale);
    return nll_loss_forward(input, target, labels, static_cast<T*>(nullptr), batch, classes, options);
}

template <class T>
constexpr NllLoss<T> nll_loss{nll_loss_forward<T>, nll_loss_backward<T>, nll_loss_forward_backward<T>,
                              cross_entropy_loss_total_weight<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
