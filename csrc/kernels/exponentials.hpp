// What SoftMax, LogSoftMax and CrossEntropyLoss share: the exponentials of rows of scores, relative to each row's
// maximum.
#pragma once

#include "blocks.hpp"
#include "math.hpp"

namespace pynet::PYNET_ISA {

// A row of scores x in three numbers. sum_k exp(x_k - maximum) = 1 + others, and others alone keeps the digits that
// log(1 + others) needs when one score is far above the rest.
template <class T>
struct RowSummary {
    T maximum;
    Index argmax;   // the first of equal ones
    double others;  // sum over k != argmax of exp(x_k - maximum)
    double top;     // exp(x_argmax - maximum): 1, or NaN for a row of NaN or infinity

    double total() const { return top + others; }
    double log_total() const { return log1p(others) + (top - 1); }
};

// Elements that are worked on together: enough for full vectors in short rows, few enough for the stack.
constexpr Index group_size = 1024;

template <class T>
RowSummary<T> row_maximum(const T* x, Index classes) {
    T maximum = -__builtin_inff();
    if (classes >= 16) {
#pragma omp simd reduction(max : maximum)
        for (Index k = 0; k < classes; ++k) maximum = x[k] > maximum ? x[k] : maximum;
        for (Index k = 0; k < classes; ++k) {
            if (x[k] == maximum) return {maximum, k, 0, 0};
        }
        return {maximum, 0, 0, 0};  // nothing but NaN
    }
    Index argmax = 0;
    for (Index k = 0; k < classes; ++k) {
        if (x[k] > maximum) {
            maximum = x[k];
            argmax = k;
        }
    }
    return {maximum, argmax, 0, 0};
}

// Adds a piece of a row's exponentials, from position `first` on, to the row's summary.
template <class T>
void add_exponentials(const T* e, Index first, Index count, RowSummary<T>& row) {
    double sum = 0;
    const Index top = row.argmax - first;
    if (top < 0 || top >= count) {
#pragma omp simd reduction(+ : sum)
        for (Index k = 0; k < count; ++k) sum += double(e[k]);
    } else {
        row.top = double(e[top]);
#pragma omp simd reduction(+ : sum)
        for (Index k = 0; k < count; ++k) sum += k == top ? 0.0 : double(e[k]);
    }
    row.others += sum;
}

// One row of any length; e may be null, when only the summary is wanted.
template <class T>
void long_row(const T* x, T* e, RowSummary<T>& row, Index classes) {
    row = row_maximum(x, classes);
    const T maximum = row.maximum;
    T piece[group_size];
    for (Index first = 0; first < classes; first += group_size) {
        const Index count = classes - first < group_size ? classes - first : group_size;
        T* out = e ? e + first : piece;
        const T* in = x + first;
#pragma omp simd
        for (Index k = 0; k < count; ++k) out[k] = exp_minus(in[k], maximum);
        add_exponentials(out, first, count, row);
    }
}

// A few short rows at once, so that vectors are full whatever the number of classes; rows * classes <= group_size.
template <class T>
void short_rows(const T* x, T* e, RowSummary<T>* summaries, Index rows, Index classes) {
    T maxima[group_size], piece[group_size];
    T* out = e ? e : piece;
    for (Index n = 0; n < rows; ++n) {
        summaries[n] = row_maximum(x + n * classes, classes);
        for (Index k = 0; k < classes; ++k) maxima[n * classes + k] = summaries[n].maximum;
    }
#pragma omp simd
    for (Index i = 0; i < rows * classes; ++i) out[i] = exp_minus(x[i], maxima[i]);
    for (Index n = 0; n < rows; ++n) add_exponentials(out + n * classes, 0, classes, summaries[n]);
}

// e = exp(x - row maximum) for rows [begin, end), then visit(n, summary of row n, its exponentials or null).
template <class T, class Visit>
void for_exponentials(const T* x, T* e, Index begin, Index end, Index classes, const Visit& visit) {
    if (classes == 0) return;
    constexpr Index most = 64;
    const Index fit = group_size / classes;
    const Index group = fit < 2 ? 1 : fit < most ? fit : most;
    RowSummary<T> summaries[most];
    for (Index first = begin; first < end; first += group) {
        const Index rows = end - first < group ? end - first : group;
        const T* in = x + first * classes;
        T* out = e ? e + first * classes : nullptr;
        if (group == 1) {
            long_row(in, out, summaries[0], classes);
        } else {
            short_rows(in, out, summaries, rows, classes);
        }
        for (Index n = 0; n < rows; ++n) visit(first + n, summaries[n], out ? out + n * classes : nullptr);
    }
}

}  // namespace pynet::PYNET_ISA
