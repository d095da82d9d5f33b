// A vector register of this instruction set, for the few kernels where the compiler's own vectors are not as fast.
#pragma once

#include <utility>

#include "kernel.hpp"

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace pynet::PYNET_ISA {

#if defined(__AVX512F__)
constexpr Index vector_bytes = 64;
#elif defined(__AVX__)
constexpr Index vector_bytes = 32;
#else
constexpr Index vector_bytes = 16;
#endif

template <class T>
constexpr Index lanes = vector_bytes / Index(sizeof(T));

template <class T>
struct VectorOf {
    typedef T Aligned __attribute__((vector_size(vector_bytes)));
    typedef T Anywhere __attribute__((vector_size(vector_bytes), aligned(sizeof(T)), may_alias));
};

template <class T>
using Vector = typename VectorOf<T>::Aligned;

template <class T>
[[gnu::always_inline]] inline Vector<T> load(const T* from) {
    return *reinterpret_cast<const typename VectorOf<T>::Anywhere*>(from);
}

template <class T>
[[gnu::always_inline]] inline void store(T* to, Vector<T> v) {
    *reinterpret_cast<typename VectorOf<T>::Anywhere*>(to) = v;
}

// The same number in all lanes.
template <class T>
[[gnu::always_inline]] inline Vector<T> all(T x) {
    return x - Vector<T>{};
}

#if defined(__AVX__) && !defined(__AVX512F__)
// -1 in the first `count` lanes of 32 bits, for the masked moves of AVX.
[[gnu::always_inline]] inline __m256i first_words(Index count) {
    const __m256i positions = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (__m256i)((__v8si)positions < (__v8si)_mm256_set1_epi32(int(count)));
}
#endif

// The first `count` lanes, 0 <= count <= lanes, and 0 in the others; touches no memory beyond.
template <class T>
[[gnu::always_inline]] inline Vector<T> load_first(const T* from, Index count) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
        return (Vector<T>)_mm512_maskz_loadu_ps(__mmask16((1U << count) - 1), from);
    else
        return (Vector<T>)_mm512_maskz_loadu_pd(__mmask8((1U << count) - 1), from);
#elif defined(__AVX__)
    if constexpr (sizeof(T) == 4)
        return (Vector<T>)_mm256_maskload_ps(from, first_words(count));
    else
        return (Vector<T>)_mm256_maskload_pd(from, first_words(2 * count));
#else
    Vector<T> v = {};
    for (Index i = 0; i < count; ++i) v[i] = from[i];
    return v;
#endif
}

template <class T>
[[gnu::always_inline]] inline void store_first(T* to, Vector<T> v, Index count) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
        _mm512_mask_storeu_ps(to, __mmask16((1U << count) - 1), (__m512)v);
    else
        _mm512_mask_storeu_pd(to, __mmask8((1U << count) - 1), (__m512d)v);
#elif defined(__AVX__)
    if constexpr (sizeof(T) == 4)
        _mm256_maskstore_ps(to, first_words(count), (__m256)v);
    else
        _mm256_maskstore_pd(to, first_words(2 * count), (__m256d)v);
#else
    for (Index i = 0; i < count; ++i) to[i] = v[i];
#endif
}

// sum + a b, rounded once where the instruction set can: the build forbids the compiler to contract by itself.
template <class T>
[[gnu::always_inline]] inline Vector<T> add_product(Vector<T> sum, Vector<T> a, Vector<T> b) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
        return (Vector<T>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
    else
        return (Vector<T>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)sum);
#elif defined(__FMA__)
    if constexpr (sizeof(T) == 4)
        return (Vector<T>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
    else
        return (Vector<T>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)sum);
#else
    return sum + a * b;
#endif
}

// The larger of x and floor; a NaN in x stays.
template <class T>
[[gnu::always_inline]] inline Vector<T> not_below(Vector<T> x, Vector<T> floor) {
    return x <= floor ? floor : x;
}

// One exchange of blocks of `step` lanes between two rows of a matrix that is being transposed.
template <class T, int step, int... lane>
[[gnu::always_inline]] inline void exchange(Vector<T>& a, Vector<T>& b, std::integer_sequence<int, lane...>) {
    constexpr int count = int(lanes<T>);
    const Vector<T> upper = __builtin_shufflevector(a, b, ((lane & step) ? lane - step + count : lane)...);
    b = __builtin_shufflevector(a, b, ((lane & step) ? lane + count : lane + step)...);
    a = upper;
}

// rows[i][j] <-> rows[j][i] of a square of lanes x lanes numbers, by exchanging halves, quarters, ... of it.
template <class T, int step = int(lanes<T> / 2)>
[[gnu::always_inline]] inline void transpose(Vector<T>* rows) {
#pragma GCC unroll 16
    for (int i = 0; i < int(lanes<T>); ++i) {
        if (!(i & step)) exchange<T, step>(rows[i], rows[i + step], std::make_integer_sequence<int, int(lanes<T>)>());
    }
    if constexpr (step > 1) transpose<T, step / 2>(rows);
}

// to[j][i] = from[i * stride + j] for i < rows and j < columns, both at most a vector's width, and 0 in the other lanes
// of the first `columns` vectors.
template <class T>
[[gnu::always_inline]] inline void load_transposed(const T* from, Index stride, Index rows, Index columns, T* to,
                                                   Index to_stride = lanes<T>) {
    constexpr int width = int(lanes<T>);
    Vector<T> square[width];
    if (rows == width && columns == width) {
#pragma GCC unroll 16
        for (int i = 0; i < width; ++i) square[i] = load(from + i * stride);
    } else {
        for (int i = 0; i < width; ++i) square[i] = i < rows ? load_first(from + i * stride, columns) : Vector<T>{};
    }
    transpose<T>(square);
    if (columns == width) {
#pragma GCC unroll 16
        for (int j = 0; j < width; ++j) store(to + j * to_stride, square[j]);
    } else {
        for (int j = 0; j < columns; ++j) store(to + j * to_stride, square[j]);
    }
}

// to[i * stride + j] = from[j][i] factors[i], for i < rows and j < columns, both at most a vector's width.
template <class T>
[[gnu::always_inline]] inline void store_transposed(const T* from, Vector<T> factors, Index rows, Index columns, T* to,
                                                    Index stride) {
    constexpr int width = int(lanes<T>);
    Vector<T> square[width];
    for (int j = 0; j < width; ++j) square[j] = j < columns ? load(from + j * width) * factors : Vector<T>{};
    transpose<T>(square);
    for (int i = 0; i < rows; ++i) store_first(to + i * stride, square[i], columns);
}

// The sum of the lanes of rows[i] in lane i: a transpose whose rounds add what they have exchanged.
template <class T, int step = int(lanes<T> / 2)>
[[gnu::always_inline]] inline Vector<T> lane_sums(Vector<T>* rows) {
#pragma GCC unroll 8
    for (int i = 0; i < step; ++i) {
        exchange<T, step>(rows[i], rows[i + step], std::make_integer_sequence<int, int(lanes<T>)>());
        rows[i] += rows[i + step];
    }
    if constexpr (step > 1) {
        return lane_sums<T, step / 2>(rows);
    } else {
        return rows[0];
    }
}

}  // namespace pynet::PYNET_ISA
