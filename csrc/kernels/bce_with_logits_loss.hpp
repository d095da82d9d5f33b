// Binary cross-entropy of scores (logits): Sigmoid, logarithm and likelihood in one, exact at any scale.
#pragma once

#include "loss.hpp"

namespace pynet::PYNET_ISA {

// With p = sigmoid(x) and a weight w of positive targets: value = -w t log p - (1 - t) log(1 - p).
template <class T>
struct ScoreCrossEntropy {
    static constexpr Index grain = costly_grain;
    double positive;  // w
    explicit ScoreCrossEntropy(double weight) : positive(weight) {}
    explicit ScoreCrossEntropy(const LossOptions& options) : positive(options.count > 0 ? options.numbers[0] : 1.0) {}

    // -log p = log1p(e^-|x|) + max(-x, 0), and -log(1 - p) likewise with max(x, 0): sums of what is not negative.
    double value(T x, T t) const {
        const double ones = positive * double(t), zeros = 1 - double(t);
        const double straight = x > 0 ? zeros * double(x) : -ones * double(x);
        // 0 * inf would be NaN where a score is certain and right.
        return (ones + zeros) * double(log1p(exp(-magnitude(x)))) + (straight == straight ? straight : certain(x, t));
    }
    double gradient(T x, T t) const {
        return (1 - double(t)) * double(sigmoid(x)) - positive * double(t) * double(sigmoid(-x));
    }

 private:
    static double certain(T x, T t) { return x == x && t == t ? 0.0 : double(x) + double(t); }
};

template <class T>
double bce_with_logits_loss_forward(const T* input, const T* target, T* losses, Index rows, Index columns,
                                    LossOptions options) {
    using F = ScoreCrossEntropy<T>;
    if (options.count <= 1) return element_losses<T, F>(input, target, losses, rows, columns, options);
    return sum_blocks(rows, rows_of(F::grain, columns), [=](Index begin, Index end) {
        double sum = 0;
        for (Index n = begin; n < end; ++n) {
            const T *x = input + n * columns, *t = target + n * columns;
            T* each = losses ? losses + n * columns : nullptr;
            sum += sum_losses(each, 0, columns, [=](Index k) { return F(options.numbers[k]).value(x[k], t[k]); });
        }
        return sum;
    });
}

template <class T>
void bce_with_logits_loss_backward(const T* input, const T* target, T* grad_input, Index rows, Index columns,
                                   LossOptions options, double scale) {
    using F = ScoreCrossEntropy<T>;
    if (options.count <= 1) return element_gradients<T, F>(input, target, grad_input, rows, columns, options, scale);
    for_blocks(rows, rows_of(F::grain, columns), [=](Index begin, Index end) {
        for (Index n = begin; n < end; ++n) {
            const T *x = input + n * columns, *t = target + n * columns;
            T* dx = grad_input + n * columns;
#pragma omp simd
            for (Index k = 0; k < columns; ++k) {
                dx[k] = T(F(options.numbers[k]).gradient(x[k], t[k]) * scale);
            }
        }
    });
}

template <class T>
constexpr Loss<T> bce_with_logits_loss{bce_with_logits_loss_forward<T>, bce_with_logits_loss_backward<T>};

}  // namespace pynet::PYNET_ISA
