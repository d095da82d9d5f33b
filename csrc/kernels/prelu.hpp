// PReLU lets as much of what is negative through as it has learned.
#pragma once

#include "batch_norm.hpp"

namespace pynet {

// With a weight for each channel; with one for all, a LeakyReLU of that slope does the rest.
template <class T>
struct Prelu {
    // output = input > 0 ? input : weight input
    void (*forward)(const T* input, const T* weight, T* output, BatchNormSizes sizes);
    // grad_input = input > 0 ? grad_output : weight grad_output, and, over batch and positions,
    // grad_weight = sum (input > 0 ? 0 : input grad_output) + beta grad_weight, if that is wanted, not null; grad_input
    // may be grad_output.
    void (*backward)(const T* input, const T* grad_output, const T* weight, T* grad_input, T* grad_weight,
                     BatchNormSizes sizes, T beta);
    // That sum over `size` elements that lie together.
    double (*sum)(const T* input, const T* grad_output, Index size);
};

namespace PYNET_ISA {

template <class T>
void prelu_forward(const T* input, const T* weight, T* output, BatchNormSizes sizes) {
    for_channel_strips(sizes, [=](Index first, Index width) {
        for_values(first, width, sizes,
                   [=](Index c, Index i) { output[i] = input[i] > 0 ? input[i] : weight[first + c] * input[i]; });
    });
}

template <class T>
void prelu_backward(const T* input, const T* grad_output, const T* weight, T* grad_input, T* grad_weight,
                    BatchNormSizes sizes, T beta) {
    for_channel_strips(sizes, [=](Index first, Index width) {
        double sum[channel_strip] = {}, lost[channel_strip] = {};
        for_values(first, width, sizes, [&, input, grad_output, weight, grad_input](Index c, Index i) {
            const T g = grad_output[i];
            add_to_long_sum<T>(input[i] > 0 ? 0.0 : double(input[i]) * double(g), sum[c], lost[c]);
            grad_input[i] = input[i] > 0 ? g : weight[first + c] * g;
        });
        for (Index c = 0; grad_weight && c < width; ++c) {
            grad_weight[first + c] = T(LongSum{sum[c], lost[c]}.value()) + (beta == 0 ? T(0) : grad_weight[first + c]);
        }
    });
}

template <class T>
double prelu_sum(const T* input, const T* grad_output, Index size) {
    return sum_blocks(size, cheap_grain, [=](Index begin, Index end) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (Index i = begin; i < end; ++i) sum += input[i] > 0 ? 0.0 : double(input[i]) * double(grad_output[i]);
        return sum;
    });
}

template <class T>
constexpr Prelu<T> prelu{prelu_forward<T>, prelu_backward<T>, prelu_sum<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
