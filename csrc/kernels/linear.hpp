// Linear: every output is a weighted sum of the inputs plus a bias; the sums are BLAS's.
#pragma once

#include "blocks.hpp"
#include "runtime/blas.hpp"

namespace pynet {

// X: (batch, in), W: (out, in), b: (out), Y: (batch, out).  b and its gradient may be null.
template <class T>
struct Linear {
    // Y = X W^T + b
    void (*forward)(const T* input, const T* weight, const T* bias, T* output, Index batch, Index in, Index out);
    // dX = dY W
    void (*backward_input)(const T* grad_output, const T* weight, T* grad_input, Index batch, Index in, Index out);
    // dW = dY^T X + beta dW,  db = sum over the batch of dY + beta db;  beta is 0 or 1
    void (*backward_parameters)(const T* input, const T* grad_output, T* grad_weight, T* grad_bias, Index batch,
                                Index in, Index out, T beta);
    // sums = sum over rows of values + beta sums, in double, for rows that lie `stride` apart
    void (*column_sums)(const T* values, Index stride, T* sums, Index rows, Index columns, T beta);
};

namespace PYNET_ISA {

// The number of parts, by their sizes alone, in which the rows of a product are computed. Every part packs the other
// operand again, so there are few of them, with much work each.
inline Index gemm_parts(Index rows, Index columns, Index depth) {
    const double flops = 2.0 * double(rows) * double(columns) * double(depth);
    const Index by_work = flops < 8e6 ? 1 : flops < 128e6 ? 2 : flops < 1e9 ? 4 : flops < 8e9 ? 8 : 16;
    const Index by_rows = rows / 32;
    const Index parts = by_work < by_rows ? by_work : by_rows;
    return parts < 1 ? 1 : parts;
}

// product(row, rows, column, columns) for every part of a (rows, columns) product, split along its longer side.
template <class F>
void for_product_parts(Index rows, Index columns, Index depth, const F& product) {
    if (rows >= columns) {
        for_numbered_blocks(rows, gemm_parts(rows, columns, depth),
                            [&](Index, Index begin, Index end) { product(begin, end - begin, 0, columns); });
    } else {
        for_numbered_blocks(columns, gemm_parts(columns, rows, depth),
                            [&](Index, Index begin, Index end) { product(0, rows, begin, end - begin); });
    }
}

template <class T>
void linear_forward(const T* input, const T* weight, const T* bias, T* output, Index batch, Index in, Index out) {
    for_product_parts(batch, out, in, [=](Index row, Index rows, Index column, Index columns) {
        for (Index n = row; n < row + rows; ++n) {
            for (Index k = column; k < column + columns; ++k) output[n * out + k] = bias ? bias[k] : T(0);
        }
        if (rows > 0 && columns > 0 && in > 0) {
            gemm(false, true, rows, columns, in, input + row * in, in, weight + column * in, in, T(1),
                 output + row * out + column, out);
        }
    });
}

template <class T>
void linear_backward_input(const T* grad_output, const T* weight, T* grad_input, Index batch, Index in, Index out) {
    for_product_parts(batch, in, out, [=](Index row, Index rows, Index column, Index columns) {
        if (rows <= 0 || columns <= 0) return;
        if (out > 0) {
            return gemm(false, false, rows, columns, out, grad_output + row * out, out, weight + column, in, T(0),
                        grad_input + row * in + column, in);
        }
        for (Index n = row; n < row + rows; ++n) {
            for (Index k = column; k < column + columns; ++k) grad_input[n * in + k] = 0;
        }
    });
}

// A strip of columns at a time.
template <class T>
void column_sums(const T* values, Index stride, T* sums, Index rows, Index columns, T beta) {
    constexpr Index strip = 128;
    for_blocks((columns + strip - 1) / strip, rows_of(cheap_grain, rows * strip), [=](Index begin, Index end) {
        for (Index first = begin * strip; first < end * strip && first < columns; first += strip) {
            const Index width = columns - first < strip ? columns - first : strip;
            double sum[strip] = {}, lost[strip] = {};
            for (Index n = 0; n < rows; ++n) add_to_long_sums(values + n * stride + first, width, sum, lost);
            for (Index k = 0; k < width; ++k) {
                const T total = T(LongSum{sum[k], lost[k]}.value());
                sums[first + k] = total + (beta == 0 ? T(0) : sums[first + k]);
            }
        }
    });
}

template <class T>
void linear_backward_parameters(const T* input, const T* grad_output, T* grad_weight, T* grad_bias, Index batch,
                                Index in, Index out, T beta) {
    for_product_parts(out, in, batch, [=](Index row, Index rows, Index column, Index columns) {
        if (rows <= 0 || columns <= 0) return;
        if (batch > 0) {
            return gemm(true, false, rows, columns, batch, grad_output + row, out, input + column, in, beta,
                        grad_weight + row * in + column, in);
        }
        if (beta != 0) return;
        for (Index k = row; k < row + rows; ++k) {
            for (Index i = column; i < column + columns; ++i) grad_weight[k * in + i] = 0;
        }
    });
    if (grad_bias) column_sums(grad_output, out, grad_bias, batch, out, beta);
}

template <class T>
constexpr Linear<T> linear{linear_forward<T>, linear_backward_input<T>, linear_backward_parameters<T>, column_sums<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
