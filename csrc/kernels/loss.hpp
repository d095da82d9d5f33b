// Losses of numbers beside their targets, and the two loops of those that go element by element.
#pragma once

#include "blocks.hpp"
#include "math.hpp"

namespace pynet {

// What the formulas depend on: each uses its own.
struct LossOptions {
    double number = 0;                // beta, delta or eps
    const double* numbers = nullptr;  // quantiles, or what positive targets count: one, or one for each column
    Index count = 0;
    bool of_logs = false;  // whether the input, or for kl_div_loss the target, are logarithms
    bool full = false;     // whether constants count that make it a likelihood
};

// input: (rows, columns).  The target is as large, unless the criterion says otherwise.
template <class T>
struct Loss {
    // the sum of all losses, in double; each goes to losses[] as well unless that is null
    double (*forward)(const T* input, const T* target, T* losses, Index rows, Index columns, LossOptions options);
    // grad_input = the gradient of the sum * scale
    void (*backward)(const T* input, const T* target, T* grad_input, Index rows, Index columns, LossOptions options,
                     double scale);
};

namespace PYNET_ISA {

// The sum of loss(i) over [begin, end); each goes to losses[] as well unless that is null. A loop for each case: one
// whose store depends on a pointer would be vectorized on v4 alone.
template <class T, class F>
[[gnu::always_inline]] inline double sum_losses(T* losses, Index begin, Index end, const F& loss) {
    double sum = 0;
    if (losses) {
#pragma omp simd reduction(+ : sum)
        for (Index i = begin; i < end; ++i) {
            const double each = loss(i);
            sum += each;
            losses[i] = T(each);
        }
    } else {
#pragma omp simd reduction(+ : sum)
        for (Index i = begin; i < end; ++i) sum += loss(i);
    }
    return sum;
}

// F(options) has value(x, t), gradient(x, t) and the grain that its cost asks for.
template <class T, class F>
double element_losses(const T* input, const T* target, T* losses, Index rows, Index columns, LossOptions options) {
    const F f(options);
    return sum_blocks(rows * columns, F::grain, [=](Index begin, Index end) {
        return sum_losses(losses, begin, end, [=](Index i) { return f.value(input[i], target[i]); });
    });
}

template <class T, class F>
void element_gradients(const T* input, const T* target, T* grad_input, Index rows, Index columns, LossOptions options,
                       double scale) {
    const F f(options);
    for_blocks(rows * columns, F::grain, [=](Index begin, Index end) {
#pragma omp simd
        for (Index i = begin; i < end; ++i) grad_input[i] = T(f.gradient(input[i], target[i]) * scale);
    });
}

template <class T, class F>
constexpr Loss<T> element_loss{element_losses<T, F>, element_gradients<T, F>};

// -1, 0 or 1; a NaN stays NaN.
[[gnu::always_inline]] inline double sign(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }

}  // namespace PYNET_ISA
}  // namespace pynet
