// Norms give groups of numbers in a row mean 0 and variance 1: LayerNorm, GroupNorm and, without the mean, RMSNorm.
#pragma once

#include "blocks.hpp"

namespace pynet {

// A row is `groups` groups of `size` numbers, one after another. Each weight is that of `positions` numbers that stand
// together: 1 for LayerNorm; the positions of a channel for GroupNorm, whose groups are whole channels.
struct NormSizes {
    Index rows, groups, size, positions;
};

struct NormOptions {
    double eps;
    bool centred;  // else the mean is taken to be 0
};

// input, output and their gradients: (rows, groups, size). weight, bias and their gradients, one number per weight, may
// be null.
template <class T>
struct Norm {
    // output = (input - mean) / sqrt(variance + eps) * weight + bias, with each group's mean and biased variance
    void (*forward)(const T* input, const T* weight, const T* bias, T* output, NormSizes sizes, NormOptions options);
    // With x = (input - mean) / s, s = sqrt(variance + eps), g = weight grad_output and means over the group:
    //   grad_input = (g - mean of g - x mean of g x) / s, the mean of g only if centred.
    // statistics (rows, groups, 2) get mean and 1 / s of each group. It or grad_input may be null.
    void (*backward)(const T* input, const T* grad_output, const T* weight, T* grad_input, double* statistics,
                     NormSizes sizes, NormOptions options);
    // Of weights [first, last), summed over the numbers that are theirs:
    //   grad_bias = sum grad_output + beta grad_bias,  grad_weight = sum grad_output x + beta grad_weight
    void (*backward_parameters)(const T* input, const T* grad_output, const double* statistics, T* grad_weight,
                                T* grad_bias, Index first, Index last, NormSizes sizes, T beta);
};

namespace PYNET_ISA {

struct GroupStatistics {
    double mean, inverse;  // 1 / s
};

// In two passes: what is large beside its spread loses no digits.
template <class T>
GroupStatistics statistics_of(const T* x, Index size, NormOptions options) {
    double sum = 0, squares = 0;
    if (options.centred) {
#pragma omp simd reduction(+ : sum)
        for (Index i = 0; i < size; ++i) sum += double(x[i]);
    }
    const double mean = sum / double(size);
#pragma omp simd reduction(+ : squares)
    for (Index i = 0; i < size; ++i) {
        const double distance = double(x[i]) - mean;
        squares += distance * distance;
    }
    return {mean, 1 / __builtin_sqrt(squares / double(size) + options.eps)};
}

// From one number to the next, how far to go in weight and bias.
template <int step>
struct Step {
    static constexpr Index value = step;
};

// f(step, weight, begin, count) for the parts of a group that read their weights alike: all of it, or every channel.
// The group begins at number `first` of its row; `weight` is the first weight of a part, which begins at `begin`.
template <class F>
void for_parts(Index first, NormSizes sizes, const F& f) {
    if (sizes.positions == 1) return f(Step<1>{}, first, 0, sizes.size);
    for (Index begin = 0; begin < sizes.size; begin += sizes.positions) {
        f(Step<0>{}, (first + begin) / sizes.positions, begin, sizes.positions);
    }
}

// Where an array, that may be null, goes on.
template <class T>
const T* from(const T* array, Index first) {
    return array ? array + first : nullptr;
}

// f(number of the row, of the group in it, its first number) for all groups, on the pool when there is enough to do.
template <class F>
void for_groups(NormSizes sizes, const F& f) {
    for_blocks(sizes.rows, rows_of(cheap_grain, sizes.groups * sizes.size), [&](Index begin, Index end) {
        for (Index n = begin; n < end; ++n) {
            for (Index group = 0; group < sizes.groups; ++group) f(n, group, (n * sizes.groups + group) * sizes.size);
        }
    });
}

template <class T>
void norm_forward(const T* input, const T* weight, const T* bias, T* output, NormSizes sizes, NormOptions options) {
    for_groups(sizes, [=](Index, Index group, Index start) {
        const GroupStatistics s = statistics_of(input + start, sizes.size, options);
        for_parts(group * sizes.size, sizes, [=](auto step, Index first, Index begin, Index count) {
            constexpr Index each = decltype(step)::value;
            const T *x = input + start + begin, *w = from(weight, first), *b = from(bias, first);
            T* y = output + start + begin;
#pragma omp simd
            for (Index i = 0; i < count; ++i) {
                const double scaled = (double(x[i]) - s.mean) * (w ? s.inverse * double(w[each * i]) : s.inverse);
                y[i] = T(b ? scaled + double(b[each * i]) : scaled);
            }
        });
    });
}

template <class T>
void norm_backward(const T* input, const T* grad_output, const T* weight, T* grad_input, double* statistics,
                   NormSizes sizes, NormOptions options) {
    for_groups(sizes, [=](Index n, Index group, Index start) {
        const GroupStatistics s = statistics_of(input + start, sizes.size, options);
        if (statistics) {
            double* own = statistics + 2 * (n * sizes.groups + group);
            own[0] = s.mean;
            own[1] = s.inverse;
        }
        if (!grad_input) return;
        double sum = 0, product = 0;
        for_parts(group * sizes.size, sizes, [&](auto step, Index first, Index begin, Index count) {
            constexpr Index each = decltype(step)::value;
            const T *x = input + start + begin, *dy = grad_output + start + begin, *w = from(weight, first);
            double g_sum = 0, gx_sum = 0;
#pragma omp simd reduction(+ : g_sum, gx_sum)
            for (Index i = 0; i < count; ++i) {
                const double g = w ? double(dy[i]) * double(w[each * i]) : double(dy[i]);
                g_sum += g;
                gx_sum += g * ((double(x[i]) - s.mean) * s.inverse);
            }
            sum += g_sum;
            product += gx_sum;
        });
        const double g_mean = options.centred ? sum / double(sizes.size) : 0, gx_mean = product / double(sizes.size);
        for_parts(group * sizes.size, sizes, [=](auto step, Index first, Index begin, Index count) {
            constexpr Index each = decltype(step)::value;
            const T *x = input + start + begin, *dy = grad_output + start + begin, *w = from(weight, first);
            T* dx = grad_input + start + begin;
#pragma omp simd
            for (Index i = 0; i < count; ++i) {
                const double g = w ? double(dy[i]) * double(w[each * i]) : double(dy[i]);
                const double normal = (double(x[i]) - s.mean) * s.inverse;
                dx[i] = T((g - g_mean - normal * gx_mean) * s.inverse);
            }
        });
    });
}

constexpr Index weight_strip = 64;  // weights whose sums fit the stack

// Of each weight of a strip: the sums of grad_output, and of grad_output x.
struct WeightSums {
    double sum[weight_strip] = {}, sum_lost[weight_strip] = {};
    double product[weight_strip] = {}, product_lost[weight_strip] = {};
};

// Adds one row's numbers of some weights, from the strip's `first` on, that are all of one group: they begin at x and
// dy.
template <class T>
void add_to_sums(const T* x, const T* dy, GroupStatistics s, Index first, Index weights, Index positions,
                 WeightSums& sums) {
    double *sum = sums.sum + first, *sum_lost = sums.sum_lost + first;
    double *product = sums.product + first, *product_lost = sums.product_lost + first;
    if (positions == 1) {
#pragma omp simd
        for (Index c = 0; c < weights; ++c) {
            add_to_long_sum<T>(double(dy[c]), sum[c], sum_lost[c]);
            add_to_long_sum<T>(double(dy[c]) * ((double(x[c]) - s.mean) * s.inverse), product[c], product_lost[c]);
        }
        return;
    }
    for (Index c = 0; c < weights; ++c) {
        double g_sum = 0, gx_sum = 0;
#pragma omp simd reduction(+ : g_sum, gx_sum)
        for (Index i = c * positions; i < (c + 1) * positions; ++i) {
            g_sum += double(dy[i]);
            gx_sum += double(dy[i]) * ((double(x[i]) - s.mean) * s.inverse);
        }
        add_to_long_sum<T>(g_sum, sum[c], sum_lost[c]);
        add_to_long_sum<T>(gx_sum, product[c], product_lost[c]);
    }
}

template <class T>
void norm_backward_parameters(const T* input, const T* grad_output, const double* statistics, T* grad_weight,
                              T* grad_bias, Index first, Index last, NormSizes sizes, T beta) {
    const Index positions = sizes.positions, rows = sizes.size > 0 ? sizes.rows : 0;
    const Index strips = (last - first + weight_strip - 1) / weight_strip;
    for_blocks(strips, rows_of(cheap_grain, rows * weight_strip * positions), [=](Index from, Index to) {
        for (Index strip = from; strip < to; ++strip) {
            const Index begin = first + strip * weight_strip;
            const Index end = last - begin < weight_strip ? last : begin + weight_strip;
            WeightSums sums;
            for (Index n = 0; n < rows; ++n) {
                for (Index w = begin, next; w < end; w = next) {
                    const Index group = w * positions / sizes.size, of_group = (group + 1) * sizes.size / positions;
                    next = of_group < end ? of_group : end;
                    const double* own = statistics + 2 * (n * sizes.groups + group);
                    const Index at = n * sizes.groups * sizes.size + w * positions;
                    add_to_sums(input + at, grad_output + at, {own[0], own[1]}, w - begin, next - w, positions, sums);
                }
            }
            for (Index w = begin; w < end; ++w) {
                const Index c = w - begin;
                const LongSum sum{sums.sum[c], sums.sum_lost[c]}, product{sums.product[c], sums.product_lost[c]};
                if (grad_bias) grad_bias[w] = T(sum.value()) + (beta == 0 ? T(0) : grad_bias[w]);
                if (grad_weight) grad_weight[w] = T(product.value()) + (beta == 0 ? T(0) : grad_weight[w]);
            }
        }
    });
}

template <class T>
constexpr Norm<T> norm{norm_forward<T>, norm_backward<T>, norm_backward_parameters<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
