// The pinball loss, which is least at the quantiles of what is to be predicted.
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// input, losses: (rows, columns), a column for each quantile q;  target: (rows,).  With e = t - x:
// loss = q e where e >= 0, else (q - 1) e
template <class T>
double pinball_loss_forward(const T* input, const T* target, T* losses, Index rows, Index columns,
                            LossOptions options) {
    return sum_blocks(rows, rows_of(cheap_grain, columns), [=](Index begin, Index end) {
        double sum = 0;
        for (Index n = begin; n < end; ++n) {
            const T* x = input + n * columns;
            T* each = losses ? losses + n * columns : nullptr;
            const double t = double(target[n]);
            sum += sum_losses(each, 0, columns, [=](Index k) {
                const double e = t - double(x[k]), q = options.numbers[k];
                return e >= 0 ? q * e : (q - 1) * e;
            });
        }
        return sum;
    });
}

// 0 where e is 0
template <class T>
void pinball_loss_backward(const T* input, const T* target, T* grad_input, Index rows, Index columns,
                           LossOptions options, double scale) {
    for_blocks(rows, rows_of(cheap_grain, columns), [=](Index begin, Index end) {
        for (Index n = begin; n < end; ++n) {
            const T* x = input + n * columns;
            T* dx = grad_input + n * columns;
            const double t = double(target[n]);
#pragma omp simd
            for (Index k = 0; k < columns; ++k) {
                const double e = t - double(x[k]), q = options.numbers[k];
                dx[k] = T((e > 0 ? -q : e < 0 ? 1 - q : e) * scale);
            }
        }
    });
}

template <class T>
constexpr Loss<T> pinball_loss{pinball_loss_forward<T>, pinball_loss_backward<T>};

}  // namespace pynet::PYNET_ISA
