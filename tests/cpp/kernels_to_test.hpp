// What the tests of kernels share: every instruction set and type, numbers to compute with, any number of threads.
#pragma once

#include <limits>

#include "check.hpp"
#include "kernels/kernels.hpp"
#include "runtime/parallel.hpp"

using pynet::Index;

// What references are computed in: more digits than the kernels have.
using Exact = long double;

template <class T>
constexpr double epsilon = double(std::numeric_limits<T>::epsilon());

// What sums of thousands of terms in double may be off, on top of the rounding to T.
constexpr double of_sums = 1e-13;

// Runs a test for every instruction set that the machine has, in float and in double.
template <class Test>
void each_isa(const Test& test) {
    for (const pynet::Isa isa : pynet::all_isas) {
        if (!pynet::supported(isa)) continue;
        const auto run = [&](auto zero, const char* type) {
            const int before = check::failures;
            test(isa, zero);
            if (check::failures != before) std::printf("  on instruction set %s, in %s\n", pynet::name(isa), type);
        };
        run(float{}, "float");
        run(double{}, "double");
    }
}

// Multiples of 1/32 in [-4, 4) without a pattern: sums of up to a thousand products of two are exact even in float.
template <class T>
std::vector<T> numbers(Index size, unsigned seed) {
    std::vector<T> all(size);
    for (T& x : all) {
        seed = seed * 1664525U + 1013904223U;
        x = T(int(seed >> 24) - 128) / 32;
    }
    return all;
}

// Of a matrix (rows, columns).
template <class T>
std::vector<T> transposed(const std::vector<T>& a, Index rows, Index columns) {
    std::vector<T> t(a.size());
    for (Index i = 0; i < rows; ++i) {
        for (Index j = 0; j < columns; ++j) t[j * rows + i] = a[i * columns + j];
    }
    return t;
}

inline Index up(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

// The elements that packed panels of (depth, columns) take.
template <class T>
Index packed_size(const pynet::Product<T>& k, Index depth, Index columns) {
    const Index rest = columns % k.panel;
    return depth * (columns - rest + (rest > k.lanes ? k.panel : rest ? k.lanes : 0));
}

// What an output holds before the call: what is not written, or added to, stays NaN.
template <class T>
std::vector<T> unset(Index size) {
    return std::vector<T>(size, std::numeric_limits<T>::quiet_NaN());
}

// That many threads for as long as it lives.
struct Threads {
    const int before = pynet::num_threads();
    explicit Threads(int count) { pynet::set_num_threads(count); }
    ~Threads() { pynet::set_num_threads(before); }
};

// The result of compute(), which must be the same to the last bit on 1, 2 and 5 threads.
template <class Compute>
auto on_any_threads(const Compute& compute) {
    const Threads restored_at_the_end(1);
    const auto expected = compute();
    for (const int count : {2, 5}) {
        pynet::set_num_threads(count);
        check::report(compute() == expected, "other results on " + check::text(count) + " threads", __FILE__, __LINE__);
    }
    return expected;
}
