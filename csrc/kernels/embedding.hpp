// Embedding takes, for every index, a row of its weight.
#pragma once

#include "blocks.hpp"

namespace pynet {

// Where the rows of a batch are that took each row of the weight: from starts[e] up to starts[e + 1] in `order`.
struct EmbeddingPlaces {
    const Index *starts, *order;
};

template <class T>
struct Embedding {
    // output[n] = weight[indices[n]];  indices (count), weight (embeddings, dim), output (count, dim)
    void (*forward)(const Index* indices, const T* weight, T* output, Index count, Index dim);
    // Sorts the places of a batch by their indices; starts (embeddings + 1), order (count).
    void (*sort)(const Index* indices, Index* starts, Index* order, Index count, Index embeddings);
    // grad_weight[e] = sum of grad_output[n] over the n with indices[n] = e, in their order, + beta grad_weight[e];
    // nothing for e = padding
    void (*backward)(EmbeddingPlaces places, const T* grad_output, T* grad_weight, Index embeddings, Index dim,
                     Index padding, T beta);
};

namespace PYNET_ISA {

template <class T>
void embedding_forward(const Index* indices, const T* weight, T* output, Index count, Index dim) {
    for_blocks(count, rows_of(cheap_grain, dim), [=](Index begin, Index end) {
        for (Index n = begin; n < end; ++n) {
            const T* row = weight + indices[n] * dim;
            T* y = output + n * dim;
#pragma omp simd
            for (Index k = 0; k < dim; ++k) y[k] = row[k];
        }
    });
}

// A counting sort.
inline void embedding_sort(const Index* indices, Index* starts, Index* order, Index count, Index embeddings) {
    for (Index e = 0; e <= embeddings; ++e) starts[e] = 0;
    for (Index n = 0; n < count; ++n) ++starts[indices[n]];
    for (Index e = 1; e <= embeddings; ++e) starts[e] += starts[e - 1];  // where each ends
    for (Index n = count; n-- > 0;) order[--starts[indices[n]]] = n;
}

constexpr Index embedding_strip = 64;  // columns whose sums fit the stack

template <class T>
void embedding_backward(EmbeddingPlaces places, const T* grad_output, T* grad_weight, Index embeddings, Index dim,
                        Index padding, T beta) {
    const Index rows = places.starts[embeddings];
    const Index each = embeddings > 0 ? (rows + embeddings) / embeddings * dim : 0;
    for_blocks(embeddings, rows_of(cheap_grain, each), [=](Index from, Index to) {
        for (Index e = from; e < to; ++e) {
            const Index begin = places.starts[e], end = e == padding ? begin : places.starts[e + 1];
            for (Index first = 0; first < dim; first += embedding_strip) {
                const Index width = dim - first < embedding_strip ? dim - first : embedding_strip;
                double sum[embedding_strip] = {}, lost[embedding_strip] = {};
                for (Index i = begin; i < end; ++i) {
                    add_to_long_sums(grad_output + places.order[i] * dim + first, width, sum, lost);
                }
                T* dw = grad_weight + e * dim + first;
                for (Index k = 0; k < width; ++k) {
                    dw[k] = T(LongSum{sum[k], lost[k]}.value()) + (beta == 0 ? T(0) : dw[k]);
                }
            }
        }
    });
}

template <class T>
constexpr Embedding<T> embedding{embedding_forward<T>, embedding_sort, embedding_backward<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
