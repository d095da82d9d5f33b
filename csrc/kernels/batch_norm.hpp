// BatchNorm gives every channel mean 0 and variance 1 over the batch.
#pragma once

#include "blocks.hpp"

namespace pynet {

// The sizes of input and output: (batch, channels, positions), where samples lie `stride` apart.
struct BatchNormSizes {
    Index batch, channels, positions, stride;
};

// Everything but input, output and their gradients: (channels). weight, bias and their gradients may be null.
template <class T>
struct BatchNorm {
    // mean and biased variance of each channel, in two passes
    void (*statistics)(const T* input, double* mean, double* variance, BatchNormSizes sizes);
    // output = (input - mean) / sqrt(variance + eps) * weight + bias
    void (*forward)(const T* input, const double* mean, const double* variance, const T* weight, const T* bias,
                    T* output, BatchNormSizes sizes, double eps);
    // With x = (input - mean) / s, s = sqrt(variance + eps), and sums over batch and positions, M values each:
    //   grad_bias = sum grad_output + beta grad_bias,  grad_weight = sum grad_output x + beta grad_weight,
    //   grad_input = weight / s (grad_output - (sum grad_output + x sum grad_output x) / M), the last term only where
    //   mean and variance come from this very input (from_batch).
    void (*backward)(const T* input, const T* grad_output, const double* mean, const double* variance, const T* weight,
                     T* grad_input, T* grad_weight, T* grad_bias, BatchNormSizes sizes, double eps, bool from_batch,
                     T beta);
    // Moves running statistics by a share momentum towards these, the variance as an unbiased one of M values.
    void (*move)(T* running_mean, T* running_var, const double* mean, const double* variance, BatchNormSizes sizes,
                 double momentum);
};

namespace PYNET_ISA {

constexpr Index channel_strip = 64;  // channels whose sums fit the stack and whose values are whole cache lines

// f(first channel, width) for strips of channels, on the pool when there is enough to do.
template <class F>
void for_channel_strips(BatchNormSizes sizes, const F& f) {
    const Index strips = (sizes.channels + channel_strip - 1) / channel_strip;
    const Index grain = rows_of(cheap_grain, sizes.batch * channel_strip * sizes.positions);
    for_blocks(strips, grain, [=](Index begin, Index end) {
        for (Index strip = begin; strip < end; ++strip) {
            const Index first = strip * channel_strip, left = sizes.channels - first;
            f(first, left < channel_strip ? left : channel_strip);
        }
    });
}

// visit(c, i) for every value i of the channels first + c, c in [0, width).
template <class Visit>
void for_values(Index first, Index width, BatchNormSizes sizes, const Visit& visit) {
    for (Index n = 0; n < sizes.batch; ++n) {
        if (sizes.positions == 1) {
            const Index row = n * sizes.stride + first;
#pragma omp simd
            for (Index c = 0; c < width; ++c) visit(c, row + c);
            continue;
        }
        for (Index c = 0; c < width; ++c) {
            const Index start = n * sizes.stride + (first + c) * sizes.positions;
            for (Index s = 0; s < sizes.positions; ++s) visit(c, start + s);
        }
    }
}

template <class T>
void batch_norm_statistics(const T* input, double* mean, double* variance, BatchNormSizes sizes) {
    const double count = double(sizes.batch) * double(sizes.positions);
    for_channel_strips(sizes, [=](Index first, Index width) {
        double sum[channel_strip] = {}, squares[channel_strip] = {}, center[channel_strip];
        for_values(first, width, sizes, [&, input](Index c, Index i) { sum[c] += double(input[i]); });
        for (Index c = 0; c < width; ++c) center[c] = mean[first + c] = sum[c] / count;
        for_values(first, width, sizes, [&, input](Index c, Index i) {
            const double distance = double(input[i]) - center[c];
            squares[c] += distance * distance;
        });
        for (Index c = 0; c < width; ++c) variance[first + c] = squares[c] / count;
    });
}

// One channel as output = (input - mean) * scale + shift.
struct ChannelMap {
    double mean[channel_strip], inverse[channel_strip], scale[channel_strip];

    template <class T>
    ChannelMap(const double* means, const double* variances, const T* weight, Index first, Index width, double eps) {
        for (Index c = 0; c < width; ++c) {
            mean[c] = means[first + c];
            inverse[c] = 1 / __builtin_sqrt(variances[first + c] + eps);
            scale[c] = weight ? inverse[c] * double(weight[first + c]) : inverse[c];
        }
    }
};

template <class T>
void batch_norm_forward(const T* input, const double* mean, const double* variance, const T* weight, const T* bias,
                        T* output, BatchNormSizes sizes, double eps) {
    for_channel_strips(sizes, [=](Index first, Index width) {
        const ChannelMap map(mean, variance, weight, first, width, eps);
        double shift[channel_strip];
        for (Index c = 0; c < width; ++c) shift[c] = bias ? double(bias[first + c]) : 0;
        for_values(first, width, sizes, [&, input, output](Index c, Index i) {
            output[i] = T((double(input[i]) - map.mean[c]) * map.scale[c] + shift[c]);
        });
    });
}

template <class T>
void batch_norm_backward(const T* input, const T* grad_output, const double* mean, const double* variance,
                         const T* weight, T* grad_input, T* grad_weight, T* grad_bias, BatchNormSizes sizes, double eps,
                         bool from_batch, T beta) {
    const double count = double(sizes.batch) * double(sizes.positions);
    for_channel_strips(sizes, [=](Index first, Index width) {
        const ChannelMap map(mean, variance, weight, first, width, eps);
        double sum[channel_strip] = {}, product[channel_strip] = {};
        for_values(first, width, sizes, [&, input, grad_output](Index c, Index i) {
            const double g = double(grad_output[i]);
            sum[c] += g;
            product[c] += g * (double(input[i]) - map.mean[c]) * map.inverse[c];
        });
        for (Index c = 0; c < width; ++c) {
            if (grad_bias) grad_bias[first + c] = T(sum[c]) + (beta == 0 ? T(0) : grad_bias[first + c]);
            if (grad_weight) grad_weight[first + c] = T(product[c]) + (beta == 0 ? T(0) : grad_weight[first + c]);
            sum[c] = from_batch ? sum[c] / count : 0;
            product[c] = from_batch ? product[c] * map.inverse[c] / count : 0;
        }
        for_values(first, width, sizes, [&, input, grad_output, grad_input](Index c, Index i) {
            const double distance = double(input[i]) - map.mean[c];
            // Selected: of running statistics the input knows nothing, and an infinite one must not become NaN.
            const double share = from_batch ? sum[c] + distance * product[c] : 0;
            grad_input[i] = T((double(grad_output[i]) - share) * map.scale[c]);
        });
    });
}

template <class T>
void batch_norm_move(T* running_mean, T* running_var, const double* mean, const double* variance, BatchNormSizes sizes,
                     double momentum) {
    const double count = double(sizes.batch) * double(sizes.positions), unbiased = count / (count - 1);
    for (Index c = 0; c < sizes.channels; ++c) {
        running_mean[c] = T((1 - momentum) * double(running_mean[c]) + momentum * mean[c]);
        running_var[c] = T((1 - momentum) * double(running_var[c]) + momentum * unbiased * variance[c]);
    }
}

template <class T>
constexpr BatchNorm<T> batch_norm{batch_norm_statistics<T>, batch_norm_forward<T>, batch_norm_backward<T>,
                                  batch_norm_move<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
