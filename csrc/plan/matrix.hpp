// Memory of a plan: buffers, matrices in them, and parts of matrices.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "runtime/index.hpp"

namespace pynet {

// Memory that starts at a cache line and grows on demand; zeros where nobody has written.
template <class T>
class Buffer {
 public:
    // Room for `count` elements; what was in it is lost when it grows, but for the first `kept` elements.
    T* reserve(Index count, Index kept = 0) {
        if (count > count_) {
            const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(T) + slack + 63) / 64 * 64;
            void* memory = std::aligned_alloc(64, bytes);
            if (!memory) throw std::bad_alloc();
            std::memset(memory, 0, bytes);
            if (kept > 0) std::memcpy(memory, data_.get(), static_cast<std::size_t>(kept) * sizeof(T));
            data_.reset(static_cast<T*>(memory));
            count_ = count;
        }
        return data_.get();
    }
    // The same, and all that was in it stays.
    T* grow(Index count) { return reserve(count, count_); }
    T* data() const { return data_.get(); }

 private:
    static constexpr std::size_t slack = 256;  // kernels read whole vectors and panels
    struct Free {
        void operator()(T* memory) const { std::free(memory); }
    };
    std::unique_ptr<T, Free> data_;
    Index count_ = 0;
};

// Numbers in rows that lie `stride` apart.
template <class T>
struct Matrix {
    T* data = nullptr;
    Index columns = 0, stride = 0;

    T* at(Index row, Index column) const { return data + row * stride + column; }
};

// Some rows and columns of a matrix. What lies in buffer row r is the batch's row r + offset.
struct Region {
    Index first_row, last_row, first_column, last_column, offset = 0;

    Index rows() const { return last_row - first_row; }
    Index columns() const { return last_column - first_column; }
};

// Rows [first, first + count) of the batch, which lie in the buffers from row `base` on.
struct Chunk {
    Index first, count, base;

    Region region(Index columns) const { return {base, base + count, 0, columns, first - base}; }
};

// Where part `part` of `parts` begins, in multiples of `unit`: it looks at sizes only.
inline Index cut(Index size, Index part, Index parts, Index unit) {
    const Index units = (size + unit - 1) / unit, begin = units * part / parts * unit;
    return begin < size ? begin : size;
}

inline Index round_up(Index size, Index unit) { return (size + unit - 1) / unit * unit; }

}  // namespace pynet
