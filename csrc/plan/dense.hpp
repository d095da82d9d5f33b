// A Linear of a plan: its arrays and where its input, output and gradients lie.
#pragma once

#include "kernels/kernels.hpp"
#include "plan/matrix.hpp"
#include "plan/optimizer.hpp"

namespace pynet {

// The gradient at an input, as sums that different parts of the work have computed: the gradient is their sum.
template <class T>
struct PartialSums {
    Buffer<T> buffer;
    Index parts = 0, apart = 0;
    Matrix<T> first;

    void reserve(Index count, Index rows, Matrix<T> like) {
        parts = count;
        apart = round_up(rows * like.stride, 16) + 64;  // whole vectors are written, and no line has two writers
        first = {buffer.reserve(count * apart), like.columns, like.stride};
    }
    Matrix<T> of(Index part) const { return {first.data + part * apart, first.columns, first.stride}; }
};

// The width of a packed panel that holds so many columns.
template <class T>
Index packed_width(Index columns) {
    const Product<T>& product = kernels<T>().product;
    return columns > product.lanes ? product.panel : product.lanes;
}

// sums = sum over rows of g, or is added to: in double, from sums of few rows in T.
template <class T>
void sum_rows(const T* g, Index stride, Index rows, Index columns, double* sums, bool add) {
    constexpr Index few = 64, strip = 128;
    T some[strip];
    for (Index n = 0; n < columns; n += strip) {
        const Index count = columns - n < strip ? columns - n : strip;
        for (Index row = 0; row < rows; row += few) {
            const Index next = rows - row < few ? rows - row : few;
            kernels<T>().product.sum_rows(g + row * stride + n, stride, next, count, some, false);
            for (Index i = 0; i < count; ++i) sums[n + i] = double(some[i]) + (add || row > 0 ? sums[n + i] : 0.0);
        }
    }
}

// output = max(input weight^T + bias, floor)
template <class T>
struct Dense {
    Parameter<T> weight, bias;  // (out, in) and (out); no value: no bias
    Index in, out;
    T floor = -T(INFINITY);  // 0: a ReLU follows
    bool first = false;      // nobody needs the gradient at its input
    bool gated = false;      // the input is a ReLU's output, whose gradient the product computes as well
    Matrix<T> input, output;

    bool learns() const { return weight.learns(); }

    // Whether kernels may read the rows of the input in whole panels.
    bool input_is_padded() const { return input.stride >= round_up(in, kernels<T>().product.panel); }
};

}  // namespace pynet
