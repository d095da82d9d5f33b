// Matrix products of small and medium size: operands are packed once and shared, and what follows a product (bias,
// ReLU, a sum) takes place in the registers that hold it. Beside BLAS in the compiled step, where it measures faster.
#pragma once

#include "vector.hpp"

namespace pynet {

// A matrix that is read number by number: a[i, k] = data[i * row + k * column].
template <class T>
struct Operand {
    const T* data;
    Index row, column;
};

// A matrix (depth, columns) as panels of two vectors' width, each of which is read row by row. Where the last panel's
// columns end within a vector, the rest of it is read too, and does not count. See Product for two ways to make them.
template <class T>
struct Panels {
    const T* data;
    Index columns;
    Index stride;  // from row to row; 0: packed, a panel's width, or one vector in a last panel of no more columns
    Index step;    // from panel to panel
};

// Where a product goes, and what is done to it first: max(product + bias, floor), or what is there is added. Where
// there is a gate, which lies as the result does, the product stays out unless it is open: 0 where gate <= 0.
template <class T>
struct Result {
    T* data;
    Index stride;
    const T* bias = nullptr;
    T floor = -T(__builtin_inf());
    bool add = false;
    const T* gate = nullptr;
};

template <class T>
struct Product {
    Index lanes, panel;  // numbers in a vector, columns in a panel

    // Panels (depth, rows) of a^T, for a (rows, depth): depths [first, last) only.
    void (*pack_transposed)(const T* a, Index stride, Index rows, Index depth, Index first, Index last, T* panels);
    // Panels (rows, columns) of a.
    void (*pack)(const T* a, Index stride, Index rows, Index columns, T* panels);

    // result (rows, columns) = a (rows, depth) b (depth, columns); the bias, (columns), is read in whole vectors
    void (*multiply)(Operand<T> a, Index rows, Index depth, Panels<T> b, Result<T> result);
    // result (columns, rows) = (a b)^T, for the columns of b in packed panels; the bias is (rows), a gate not read
    void (*multiply_transposed)(Operand<T> a, Index rows, Index depth, Panels<T> b, Result<T> result);

    // result[n] = max(a[n] . x + bias[n], floor), for a (rows, depth)
    void (*dot_rows)(const T* a, const T* x, Index rows, Index depth, Result<T> result);
    // to[n, k] = factors[n] x[k], (rows, columns)
    void (*outer)(const T* factors, const T* x, Index rows, Index columns, T* to);
    // result = sum_n factors[n] a[n], or is added to, for a (rows, depth); read and written in whole vectors
    void (*add_rows)(const T* a, const T* factors, Index rows, Index depth, T* result, bool add);

    // to = sum over rows of a (rows, columns), or is added to
    void (*sum_rows)(const T* a, Index stride, Index rows, Index columns, T* to, bool add);
    // to = the sum of `count` matrices (rows, columns) whose elements lie `apart` from one matrix to the next
    void (*add_up)(const T* matrices, Index count, Index apart, Index stride, Index rows, Index columns, T* to);
};

namespace PYNET_ISA {

// Tiles of this many rows and two vectors' width fill the registers: 28 of 32 sums with AVX-512, 12 of 16 below.
constexpr Index tile_rows = vector_bytes == 64 ? 14 : 6;

// Up to `one_chain` products are added up one after another. Of more, which would lose digits, the sums of every
// `chain_length` are added up.
constexpr Index one_chain = 1024, chain_length = 256;

template <class T>
constexpr Index panel_width = 2 * lanes<T>;

// One tile of a product: what is multiplied, and where it goes. Passed by address: its parts are written one by one,
// and read one by one without waiting for a copy.
template <class T>
struct Tile {
    Operand<T> a;
    Index depth;
    const T* b;
    Index stride, columns;
    Result<T> result;
};

// sums[i][j] += a[i] b[vector j], for one k
template <class T, int rows, int vectors>
[[gnu::always_inline]] inline void add_outer(const T* a, Index row, const T* b, Vector<T> (&sums)[rows][vectors]) {
    Vector<T> right[vectors];
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) right[j] = load(b + j * lanes<T>);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
        const Vector<T> left = all(a[i * row]);
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) sums[i][j] = add_product<T>(sums[i][j], left, right[j]);
    }
}

// sums[i][j] += sum_k a[i, k] b[k, vector j] over `count` k from `first` on. Two k at a time: with one, GCC spends a
// fifth of the time on addresses.
template <class T, int rows, int vectors>
[[gnu::always_inline]] inline void add_chain(const Tile<T>& tile, Index first, Index count,
                                             Vector<T> (&sums)[rows][vectors]) {
    const Index row = tile.a.row, column = tile.a.column, stride = tile.stride;
    const T *a = tile.a.data + first * column, *b = tile.b + first * stride;
    for (; count >= 2; count -= 2, a += 2 * column, b += 2 * stride) {
        add_outer<T, rows, vectors>(a, row, b, sums);
        add_outer<T, rows, vectors>(a + column, row, b + stride, sums);
    }
    if (count > 0) add_outer<T, rows, vectors>(a, row, b, sums);
}

// The chains after the first. A function of its own, so that products of the usual depths do not pay for it.
template <class T, int rows, int vectors>
[[gnu::noinline]] void add_further_chains(const Tile<T>& tile, Vector<T> (&sums)[rows][vectors]) {
    for (Index first = chain_length; first < tile.depth; first += chain_length) {
        const Index left = tile.depth - first;
        Vector<T> chain[rows][vectors] = {};
        add_chain<T, rows, vectors>(tile, first, left < chain_length ? left : chain_length, chain);
#pragma GCC unroll 16
        for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
            for (int j = 0; j < vectors; ++j) sums[i][j] += chain[i][j];
        }
    }
}

// sums[i][j] = sum_k a[i, k] b[k, vector j]
template <class T, int rows, int vectors>
[[gnu::always_inline]] inline void multiply_in_registers(const Tile<T>& tile, Vector<T> (&sums)[rows][vectors]) {
    const bool is_one = tile.depth <= one_chain;
    add_chain<T, rows, vectors>(tile, 0, is_one ? tile.depth : chain_length, sums);
    if (is_one) return;
    Vector<T> total[rows][vectors];  // in memory, where the sums themselves must not have to be
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) total[i][j] = sums[i][j];
    }
    add_further_chains<T, rows, vectors>(tile, total);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) sums[i][j] = total[i][j];
    }
}

template <class T, int rows, int vectors>
[[gnu::noinline]] void multiply_tile(const Tile<T>& tile) {
    Vector<T> sums[rows][vectors] = {};
    multiply_in_registers<T, rows, vectors>(tile, sums);
    const Index last = tile.columns - (vectors - 1) * lanes<T>;
    const T* bias = tile.result.bias;
    const Vector<T> floor = all(tile.result.floor);
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) {
        const bool whole = j + 1 < vectors || last == lanes<T>;
        const Vector<T> shift = bias ? load(bias + j * lanes<T>) : Vector<T>{};
#pragma GCC unroll 16
        for (int i = 0; i < rows; ++i) {
            T* to = tile.result.data + i * tile.result.stride + j * lanes<T>;
            if (tile.result.add) {
                sums[i][j] += whole ? load(to) : load_first(to, last);
            } else if (tile.result.gate) {
                const T* gate = tile.result.gate + i * tile.result.stride + j * lanes<T>;
                sums[i][j] = (whole ? load(gate) : load_first(gate, last)) <= Vector<T>{} ? Vector<T>{} : sums[i][j];
            } else {
                sums[i][j] = not_below<T>(sums[i][j] + shift, floor);
            }
            if (whole) {
                store(to, sums[i][j]);
            } else {
                store_first(to, sums[i][j], last);
            }
        }
    }
}

template <class T, int rows, int vectors>
[[gnu::noinline]] void multiply_tile_transposed(const Tile<T>& tile) {
    constexpr int width = int(lanes<T>);
    Vector<T> sums[rows][vectors] = {};
    multiply_in_registers<T, rows, vectors>(tile, sums);
    const T* bias = tile.result.bias;
    const Vector<T> floor = all(tile.result.floor);
#pragma GCC unroll 4
    for (int first = 0; first < rows; first += width) {
        const int count = rows - first < width ? rows - first : width;
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) {
            Vector<T> square[width];
#pragma GCC unroll 16
            for (int i = 0; i < width; ++i) {
                square[i] = Vector<T>{};
                if (i < count) {
                    const Vector<T> shift = all(bias ? bias[first + i] : T(0));
                    square[i] = not_below<T>(sums[i < count ? first + i : 0][j] + shift, floor);
                }
            }
            transpose<T>(square);
            T* to = tile.result.data + j * width * tile.result.stride + first;
#pragma GCC unroll 16
            for (int i = 0; i < width; ++i) {
                if (j * width + i < tile.columns) store_first(to + i * tile.result.stride, square[i], count);
            }
        }
    }
}

template <class T>
using TileFunction = void (*)(const Tile<T>&);

// The tiles of every height up to tile_rows: entry [rows - 1].
template <class T, int vectors, class Heights = std::make_integer_sequence<int, int(tile_rows)>>
struct Tiles;

template <class T, int vectors, int... row>
struct Tiles<T, vectors, std::integer_sequence<int, row...>> {
    static constexpr TileFunction<T> plain[] = {multiply_tile<T, row + 1, vectors>...};
    static constexpr TileFunction<T> transposed[] = {multiply_tile_transposed<T, row + 1, vectors>...};
};

// All tiles of a product, in panels of b and, within these, in tiles of nearly equal height.
template <class T, bool transposed>
[[gnu::always_inline]] inline void multiply_tiles(Operand<T> a, Index rows, Index depth, Panels<T> b,
                                                  Result<T> result) {
    using Two = Tiles<T, 2>;
    using One = Tiles<T, 1>;
    const Index tiles = (rows + tile_rows - 1) / tile_rows;
    Tile<T> tile{a, depth, b.data, b.stride, 0, result};
    for (Index column = 0; column < b.columns; column += panel_width<T>, tile.b += b.step) {
        const Index left = b.columns - column;
        tile.columns = left < panel_width<T> ? left : panel_width<T>;
        const bool two = tile.columns > lanes<T>;
        if (b.stride == 0) tile.stride = two ? panel_width<T> : lanes<T>;
        const TileFunction<T>* functions =
            transposed ? (two ? Two::transposed : One::transposed) : (two ? Two::plain : One::plain);
        Index first = 0;
        for (Index t = 1; t <= tiles; ++t) {
            const Index end = rows * t / tiles;
            const Index row = transposed ? column : first, at = transposed ? first : column;
            tile.a.data = a.data + first * a.row;
            tile.result.data = result.data + row * result.stride + at;
            if (result.bias) tile.result.bias = result.bias + at;
            if (result.gate) tile.result.gate = result.gate + row * result.stride + at;
            functions[end - first - 1](tile);
            first = end;
        }
    }
}

template <class T>
void multiply(Operand<T> a, Index rows, Index depth, Panels<T> b, Result<T> result) {
    multiply_tiles<T, false>(a, rows, depth, b, result);
}

template <class T>
void multiply_transposed(Operand<T> a, Index rows, Index depth, Panels<T> b, Result<T> result) {
    multiply_tiles<T, true>(a, rows, depth, b, result);
}

template <class T>
void pack_transposed(const T* a, Index stride, Index rows, Index depth, Index first, Index last, T* panels) {
    for (Index row = 0; row < rows; row += panel_width<T>, panels += depth * panel_width<T>) {
        const Index to_stride = rows - row > lanes<T> ? panel_width<T> : lanes<T>;
        for (Index half = 0; half < to_stride; half += lanes<T>) {
            const T* from = a + (row + half) * stride;
            const Index count = rows - row - half < lanes<T> ? rows - row - half : lanes<T>;
            for (Index k = first; k < last; k += lanes<T>) {
                load_transposed(from + k, stride, count, last - k < lanes<T> ? last - k : lanes<T>,
                                panels + k * to_stride + half, to_stride);
            }
        }
    }
}

template <class T>
void pack(const T* a, Index stride, Index rows, Index columns, T* panels) {
    for (Index column = 0; column < columns; column += panel_width<T>, panels += rows * panel_width<T>) {
        const Index left = columns - column;
        const T* from = a + column;
        if (left >= panel_width<T>) {
            for (Index k = 0; k < rows; ++k) {
                store(panels + k * panel_width<T>, load(from + k * stride));
                store(panels + k * panel_width<T> + lanes<T>, load(from + k * stride + lanes<T>));
            }
        } else if (left > lanes<T>) {
            for (Index k = 0; k < rows; ++k) {
                store(panels + k * panel_width<T>, load(from + k * stride));
                store(panels + k * panel_width<T> + lanes<T>,
                      load_first(from + k * stride + lanes<T>, left - lanes<T>));
            }
        } else {
            for (Index k = 0; k < rows; ++k) store(panels + k * lanes<T>, load_first(from + k * stride, left));
        }
    }
}

// `rows` dot products at once: as many sums as hide the latency of an addition.
template <class T, int rows>
[[gnu::always_inline]] inline void dot_some_rows(const T* a, const T* x, Index depth, Vector<T> (&sums)[rows]) {
    constexpr Index width = lanes<T>;
    Vector<T> other[rows] = {};
    Index k = 0;
    for (; k + 2 * width <= depth; k += 2 * width) {
        const Vector<T> x0 = load(x + k), x1 = load(x + k + width);
#pragma GCC unroll 4
        for (int i = 0; i < rows; ++i) {
            sums[i] = add_product<T>(sums[i], load(a + i * depth + k), x0);
            other[i] = add_product<T>(other[i], load(a + i * depth + k + width), x1);
        }
    }
    for (; k < depth; k += width) {
        const Index left = depth - k < width ? depth - k : width;
        const Vector<T> x0 = load_first(x + k, left);
#pragma GCC unroll 4
        for (int i = 0; i < rows; ++i) sums[i] = add_product<T>(sums[i], load_first(a + i * depth + k, left), x0);
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; ++i) sums[i] += other[i];
}

template <class T>
void dot_rows(const T* a, const T* x, Index rows, Index depth, Result<T> result) {
    constexpr int width = int(lanes<T>), together = width < 4 ? width : 4;
    const Vector<T> floor = all(result.floor);
    for (Index first = 0; first < rows; first += width) {
        const Index count = rows - first < width ? rows - first : width;
        Vector<T> products[width] = {};
        Index n = 0;
        for (; n + together <= count; n += together) {
            Vector<T> sums[together] = {};
            dot_some_rows<T, together>(a + (first + n) * depth, x, depth, sums);
#pragma GCC unroll 4
            for (int i = 0; i < together; ++i) products[n + i] = sums[i];
        }
        for (; n < count; ++n) {
            Vector<T> sums[1] = {};
            dot_some_rows<T, 1>(a + (first + n) * depth, x, depth, sums);
            products[n] = sums[0];
        }
        const Vector<T> bias = result.bias ? load_first(result.bias + first, count) : Vector<T>{};
        store_first(result.data + first, not_below<T>(lane_sums<T>(products) + bias, floor), count);
    }
}

template <class T>
void outer(const T* factors, const T* x, Index rows, Index columns, T* to) {
    for (Index n = 0; n < rows; ++n, to += columns) {
        const Vector<T> factor = all(factors[n]);
        Index k = 0;
        for (; k + lanes<T> <= columns; k += lanes<T>) store(to + k, factor * load(x + k));
        if (k < columns) store_first(to + k, factor * load_first(x + k, columns - k), columns - k);
    }
}

template <class T, int vectors>
[[gnu::always_inline]] inline void add_rows_at(const T* a, const T* factors, Index rows, Index depth, Index count,
                                               T* result, bool add) {
    Vector<T> sums[vectors] = {};
    for (Index n = 0; n < rows; ++n) {
        const Vector<T> factor = all(factors[n]);
#pragma GCC unroll 8
        for (int j = 0; j < vectors; ++j) {
            const T* from = a + n * depth + j * lanes<T>;
            const Vector<T> row = j + 1 < vectors ? load(from) : load_first(from, count - j * lanes<T>);
            sums[j] = add_product<T>(sums[j], factor, row);
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < vectors; ++j) {
        store(result + j * lanes<T>, add ? load(result + j * lanes<T>) + sums[j] : sums[j]);
    }
}

template <class T>
void add_rows(const T* a, const T* factors, Index rows, Index depth, T* result, bool add) {
    for (Index k = 0; k < depth;) {
        const Index left = depth - k;
        if (left > 7 * lanes<T>) {
            const Index count = left < 8 * lanes<T> ? left : 8 * lanes<T>;
            add_rows_at<T, 8>(a + k, factors, rows, depth, count, result + k, add);
            k += 8 * lanes<T>;
        } else if (left > 3 * lanes<T>) {
            const Index count = left < 4 * lanes<T> ? left : 4 * lanes<T>;
            add_rows_at<T, 4>(a + k, factors, rows, depth, count, result + k, add);
            k += 4 * lanes<T>;
        } else {
            const Index count = left < lanes<T> ? left : lanes<T>;
            add_rows_at<T, 1>(a + k, factors, rows, depth, count, result + k, add);
            k += lanes<T>;
        }
    }
}

template <class T>
void sum_rows(const T* a, Index stride, Index rows, Index columns, T* to, bool add) {
    for (Index k = 0; k < columns; k += lanes<T>) {
        const Index left = columns - k < lanes<T> ? columns - k : lanes<T>;
        Vector<T> sums[4] = {};
        Index n = 0;
        for (; n + 4 <= rows; n += 4) {
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) sums[i] += load_first(a + (n + i) * stride + k, left);
        }
        for (; n < rows; ++n) sums[0] += load_first(a + n * stride + k, left);
        const Vector<T> sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        store_first(to + k, add ? load_first(to + k, left) + sum : sum, left);
    }
}

template <class T>
void add_up(const T* matrices, Index count, Index apart, Index stride, Index rows, Index columns, T* to) {
    for (Index n = 0; n < rows; ++n, matrices += stride, to += stride) {
        for (Index k = 0; k < columns; k += lanes<T>) {
            const Index left = columns - k < lanes<T> ? columns - k : lanes<T>;
            Vector<T> sum = load_first(matrices + k, left);
            for (Index i = 1; i < count; ++i) sum += load_first(matrices + i * apart + k, left);
            store_first(to + k, sum, left);
        }
    }
}

template <class T>
constexpr Product<T> product{
    lanes<T>,    panel_width<T>, pack_transposed<T>, pack<T>,     multiply<T>, multiply_transposed<T>,
    dot_rows<T>, outer<T>,       add_rows<T>,        sum_rows<T>, add_up<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
