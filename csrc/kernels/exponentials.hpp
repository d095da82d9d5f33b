// What SoftMax, LogSoftMax and CrossEntropyLoss share: the exponentials of rows of scores, relative to each row's
// maximum.
#pragma once

#include "blocks.hpp"
#include "math.hpp"
#include "vector.hpp"

namespace pynet::PYNET_ISA {

// A row of scores x in a few numbers. sum_k exp(x_k - maximum) = 1 + others, and others alone keeps the digits that
// log(1 + others) needs when one score is far above the rest.
template <class T>
struct RowSummary {
    T maximum;
    Index argmax;      // the first of equal ones
    double others;     // sum over k != argmax of exp(x_k - maximum)
    double top;        // exp(x_argmax - maximum): 1, or NaN for a row of NaN or infinity
    double log_total;  // log(top + others)

    double total() const { return top + others; }
};

// Elements that are worked on together: few enough for the stack.
constexpr Index group_size = 1024;

// Rows that are worked on together, one in each lane of a vector.
template <class T>
constexpr Index rows_at_once = lanes<T>;

template <class T>
RowSummary<T> row_maximum(const T* x, Index classes) {
    T maximum = -__builtin_inff();
    if (classes >= 16) {
#pragma omp simd reduction(max : maximum)
        for (Index k = 0; k < classes; ++k) maximum = x[k] > maximum ? x[k] : maximum;
        for (Index k = 0; k < classes; ++k) {
            if (x[k] == maximum) return {maximum, k, 0, 0, 0};
        }
        return {maximum, 0, 0, 0, 0};  // nothing but NaN
    }
    Index argmax = 0;
    for (Index k = 0; k < classes; ++k) {
        if (x[k] > maximum) {
            maximum = x[k];
            argmax = k;
        }
    }
    return {maximum, argmax, 0, 0, 0};
}

// Exponentials that are added up before they are added to a row's sum, which keeps it exact to a few roundings.
constexpr Index addends = 32;

// Adds a piece of a row's exponentials, from position `first` on, to the row's summary.
template <class T>
void add_exponentials(const T* e, Index first, Index count, RowSummary<T>& row) {
    const Index top = row.argmax - first;
    for (Index begin = 0; begin < count; begin += addends) {
        const Index end = begin + addends < count ? begin + addends : count;
        double sum = 0;
        if (top < begin || top >= end) {
#pragma omp simd reduction(+ : sum)
            for (Index k = begin; k < end; ++k) sum += double(e[k]);
        } else {
            row.top = double(e[top]);
#pragma omp simd reduction(+ : sum)
            for (Index k = begin; k < end; ++k) sum += k == top ? 0.0 : double(e[k]);
        }
        row.others += sum;
    }
}

// One row of any length: its summary, and e = exp(x - maximum) unless e is null.
template <class T>
RowSummary<T> long_row(const T* x, T* e, Index classes) {
    RowSummary<T> row = row_maximum(x, classes);
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
    row.log_total = log1p(row.others) + (row.top - 1);
    return row;
}

// The same of `rows` short rows: e[k][n] = exp(x[n][k] - maximum of row n), in which vectors are full however short the
// rows are; classes <= group_size / rows_at_once.
template <class T>
void short_rows(const T* x, T (*e)[rows_at_once<T>], RowSummary<T>* summaries, Index rows, Index classes) {
    constexpr Index width = rows_at_once<T>;
    for (Index k = 0; k < classes; k += width) {
        load_transposed(x + k, classes, rows, classes - k < width ? classes - k : width, e[k]);
    }
    T maximum[width];
    Bits<T> argmax[width];
    double others[width], top[width], log_total[width];
    for (Index n = 0; n < width; ++n) {
        maximum[n] = -infinity<T>;
        argmax[n] = 0;
        others[n] = top[n] = 0;
    }
    for (Index k = 0; k < classes; ++k) {
#pragma omp simd
        for (Index n = 0; n < width; ++n) {
            const bool above = e[k][n] > maximum[n];
            maximum[n] = above ? e[k][n] : maximum[n];
            argmax[n] = above ? Bits<T>(k) : argmax[n];
        }
    }
    for (Index begin = 0; begin < classes; begin += addends) {
        const Index end = begin + addends < classes ? begin + addends : classes;
        double sums[width] = {};
        for (Index k = begin; k < end; ++k) {
            T largest[width], other[width];
#pragma omp simd
            for (Index n = 0; n < width; ++n) {
                e[k][n] = exp_minus(e[k][n], maximum[n]);
                largest[n] = argmax[n] == Bits<T>(k) ? e[k][n] : T(0);
                other[n] = argmax[n] == Bits<T>(k) ? T(0) : e[k][n];
            }
#pragma omp simd
            for (Index n = 0; n < width; ++n) {
                top[n] += double(largest[n]);
                sums[n] += double(other[n]);
            }
        }
#pragma omp simd
        for (Index n = 0; n < width; ++n) others[n] += sums[n];
    }
#pragma omp simd
    for (Index n = 0; n < width; ++n) log_total[n] = log1p(others[n]) + (top[n] - 1);
    for (Index n = 0; n < rows; ++n) summaries[n] = {maximum[n], Index(argmax[n]), others[n], top[n], log_total[n]};
}

// For rows [begin, end): e = exp(x - row maximum) * scale(n, summary of row n), then visit(n, summary, e of the row).
// Without e, when it is null, no more than the summaries.
template <class T, class Scale, class Visit>
void for_exponentials(const T* x, T* e, Index begin, Index end, Index classes, const Scale& scale, const Visit& visit) {
    constexpr Index width = rows_at_once<T>, few = 4;
    if (classes == 0) return;
    const bool are_short = classes * width <= group_size;
    for (Index first = begin; first < end;) {
        const T* in = x + first * classes;
        T* out = e ? e + first * classes : nullptr;
        const Index rows = end - first < width ? end - first : width;
        if (!are_short || rows < few) {
            const RowSummary<T> row = long_row(in, out, classes);
            const T factor = out ? scale(first, row) : T(1);
            if (factor != 1) {
#pragma omp simd
                for (Index k = 0; k < classes; ++k) out[k] *= factor;
            }
            visit(first++, row, out);
            continue;
        }
        alignas(64) T exponentials[group_size / width][width];
        RowSummary<T> summaries[width];
        short_rows(in, exponentials, summaries, rows, classes);
        if (out) {
            T factors[width] = {};
            for (Index n = 0; n < rows; ++n) factors[n] = scale(first + n, summaries[n]);
            for (Index k = 0; k < classes; k += width) {
                store_transposed(exponentials[k], load(factors), rows, classes - k < width ? classes - k : width,
                                 out + k, classes);
            }
        }
        for (Index n = 0; n < rows; ++n) visit(first + n, summaries[n], out ? out + n * classes : nullptr);
        first += rows;
    }
}

// For for_exponentials: as they are.
struct Unscaled {
    template <class T>
    T operator()(Index, const RowSummary<T>&) const {
        return 1;
    }
};

}  // namespace pynet::PYNET_ISA
