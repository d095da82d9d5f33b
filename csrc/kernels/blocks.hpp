// Splits work into blocks that depend on its size alone, so that results do not depend on the number of threads.
#pragma once

#include "kernel.hpp"
#include "runtime/parallel.hpp"

namespace pynet::PYNET_ISA {

constexpr Index max_blocks = 64;

// How many blocks of at least `grain` items: one, and thus no pool at all, below two grains.
inline Index block_count(Index size, Index grain) {
    const Index blocks = size / (grain > 0 ? grain : 1);
    return blocks < 1 ? 1 : blocks < max_blocks ? blocks : max_blocks;
}

// Calls f(block, begin, end) for every block of [0, size).
template <class F>
void for_numbered_blocks(Index size, Index blocks, const F& f) {
    if (blocks == 1) return f(0, 0, size);
    struct Work {
        Index size, blocks;
        const F& f;
        static void run(void* context, Index block) {
            const Work& w = *static_cast<const Work*>(context);
            w.f(block, w.size * block / w.blocks, w.size * (block + 1) / w.blocks);
        }
    } work{size, blocks, f};
    parallel_for(blocks, Work::run, &work);
}

// Calls f(begin, end) for every block of [0, size).
template <class F>
void for_blocks(Index size, Index grain, const F& f) {
    for_numbered_blocks(size, block_count(size, grain), [&](Index, Index begin, Index end) { f(begin, end); });
}

// A sum that keeps what its additions round off (Neumaier's), for long ones.
struct LongSum {
    double sum = 0, lost = 0;

    [[gnu::always_inline]] void add(double x) {
        const double next = sum + x, taken = next - sum;
        lost += (sum - (next - taken)) + (x - taken);  // TwoSum (Knuth)
        sum = next;
    }
    // What an infinite sum has lost is NaN.
    [[gnu::always_inline]] double value() const { return lost == lost ? sum + lost : sum; }
};

// sum += x, a term computed from numbers T; where these are doubles, which have no digits to spare, lost keeps what is
// rounded off, as in LongSum.
template <class T>
[[gnu::always_inline]] inline void add_to_long_sum(double x, double& sum, double& lost) {
    if constexpr (sizeof(T) == sizeof(double)) {
        LongSum next{sum, lost};
        next.add(x);
        sum = next.sum;
        lost = next.lost;
    } else {
        sum += x;
    }
}

// sums[k] += row[k]
template <class T>
[[gnu::always_inline]] inline void add_to_long_sums(const T* row, Index width, double* sums, double* lost) {
#pragma omp simd
    for (Index k = 0; k < width; ++k) add_to_long_sum<T>(double(row[k]), sums[k], lost[k]);
}

// Items whose terms f adds up by itself, before they are added to a long sum.
constexpr Index short_sum = 512;

// The sum of f(begin, end) over the blocks, added up in their order; f is called for a few items at a time.
template <class F>
double sum_blocks(Index size, Index grain, const F& f) {
    double partial[max_blocks];
    const Index blocks = block_count(size, grain);
    for_numbered_blocks(size, blocks, [&](Index block, Index begin, Index end) {
        LongSum sum;
        for (Index first = begin; first < end; first += short_sum) {
            sum.add(f(first, end - first < short_sum ? end : first + short_sum));
        }
        partial[block] = sum.value();
    });
    double sum = 0;
    for (Index block = 0; block < blocks; ++block) sum += partial[block];
    return sum;
}

// Grains, measured on 2 cores: a second thread pays from about 20 us of work on.
constexpr Index cheap_grain = 32768;  // elements that cost a load, a few operations and a store
constexpr Index costly_grain = 8192;  // elements that cost an exp or a log

// Rows of `columns` elements each, in blocks of about `grain` elements.
inline Index rows_of(Index grain, Index columns) { return columns > 0 ? grain / columns + 1 : grain; }

}  // namespace pynet::PYNET_ISA
