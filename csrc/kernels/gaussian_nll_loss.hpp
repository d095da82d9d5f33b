// Negative log-likelihood of numbers under normal distributions, whose means and variances are the input.
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// input: (rows, columns), means in the first half of the columns, variances in the others;  target, losses: half as
// wide.  With v = max(variance, eps): loss = (log v + (mean - t)^2 / v) / 2, + log(2 pi) / 2 if it is to be full;  NaN
// for a negative variance.
template <class T>
double gaussian_nll_loss_forward(const T* input, const T* target, T* losses, Index rows, Index columns,
                                 LossOptions options) {
    const Index half = columns / 2;
    const T eps = T(options.number);
    const double constant = options.full ? 0.9189385332046727 : 0.0;
    return sum_blocks(rows, rows_of(costly_grain, columns), [=](Index begin, Index end) {
        double sum = 0;
        for (Index n = begin; n < end; ++n) {
            const T *mean = input + n * columns, *variance = mean + half, *t = target + n * half;
            T* each = losses ? losses + n * half : nullptr;
            sum += sum_losses(each, 0, half, [=](Index k) {
                const T v = variance[k] < eps ? eps : variance[k];
                const double e = double(mean[k]) - double(t[k]);
                const double loss = 0.5 * (double(log(v)) + e * e / double(v)) + constant;
                return variance[k] < 0 ? __builtin_nan("") : loss;
            });
        }
        return sum;
    });
}

// As in PyTorch, the gradient at a variance below eps is the one at eps: it does not get stuck there.
template <class T>
void gaussian_nll_loss_backward(const T* input, const T* target, T* grad_input, Index rows, Index columns,
                                LossOptions options, double scale) {
    const Index half = columns / 2;
    const T eps = T(options.number);
    for_blocks(rows, rows_of(cheap_grain, columns), [=](Index begin, Index end) {
        for (Index n = begin; n < end; ++n) {
            const T *mean = input + n * columns, *variance = mean + half, *t = target + n * half;
            T *d_mean = grad_input + n * columns, *d_variance = d_mean + half;
#pragma omp simd
            for (Index k = 0; k < half; ++k) {
                const double v = double(variance[k] < eps ? eps : variance[k]);
                const double e = double(mean[k]) - double(t[k]);
                d_mean[k] = T(e / v * scale);
                d_variance[k] = T(0.5 * (1 - e * e / v) / v * scale);
            }
        }
    });
}

template <class T>
constexpr Loss<T> gaussian_nll_loss{gaussian_nll_loss_forward<T>, gaussian_nll_loss_backward<T>};

}  // namespace pynet::PYNET_ISA
