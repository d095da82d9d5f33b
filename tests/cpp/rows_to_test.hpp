// Rows of scores for SoftMax, LogSoftMax and CrossEntropyLoss: shapes, special rows, and a straightforward reference.
#pragma once

#include "kernels_to_test.hpp"

// Short rows, which are worked on in groups, and long ones, which are worked on in pieces of 1024.
constexpr Index class_counts[] = {1, 2, 10, 17, 64, 300, 1025, 5000};

// Enough rows for more than one block.
inline Index rows_for(Index classes) { return 20000 / classes + 3; }

// Scores in [-20, 20).
template <class T>
std::vector<T> scores(Index batch, Index classes) {
    auto x = numbers<T>(batch * classes, unsigned(classes));
    for (T& score : x) score *= 5;
    return x;
}

// exp(x_k) / sum_j exp(x_j), row by row.
template <class T>
std::vector<Exact> probabilities(const std::vector<T>& x, Index classes) {
    std::vector<Exact> p;
    for (std::size_t row = 0; row < x.size(); row += classes) {
        Exact sum = 0;
        for (Index k = 0; k < classes; ++k) sum += std::exp(Exact(x[row + k]));
        for (Index k = 0; k < classes; ++k) p.push_back(std::exp(Exact(x[row + k])) / sum);
    }
    return p;
}

// Seven rows: all -inf; a NaN; an infinity; one that alone is finite, the last; all 1e8; the largest number and its
// negative, then -inf; zeros. The first three have no answer and must not spoil the rest.
constexpr Index special_rows = 7;

template <class T>
std::vector<T> special_scores(Index classes) {
    const T inf = INFINITY, most = std::numeric_limits<T>::max();
    std::vector<T> x;
    for (const T fill : {-inf, T(0), T(0), -inf, T(1e8), -inf, T(0)}) x.insert(x.end(), classes, fill);
    x[2 * classes - 2] = NAN;
    x[2 * classes + 1] = inf;
    x[4 * classes - 1] = 3;
    x[5 * classes] = most;
    x[5 * classes + 1] = -most;
    return x;
}
