// Philox: random numbers as a function of a key and a position, so that any order of computing gives the same ones.
#pragma once

#include "kernel.hpp"

namespace pynet::PYNET_ISA {

constexpr Index philox_lanes = 16;                // counters that are worked on together
constexpr Index philox_words = 4 * philox_lanes;  // random words they give

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) on the counters
// (16 group + lane, 0, 0), lane 0..15, and the key `seed`. Word w of a counter goes to words[16 w + lane].
inline void philox(std::uint64_t seed, std::uint64_t group, std::uint32_t* words) {
    std::uint32_t c0[philox_lanes], c1[philox_lanes], c2[philox_lanes], c3[philox_lanes];
    for (Index i = 0; i < philox_lanes; ++i) {
        const std::uint64_t counter = group * philox_lanes + std::uint64_t(i);
        c0[i] = std::uint32_t(counter);
        c1[i] = std::uint32_t(counter >> 32);
        c2[i] = c3[i] = 0;
    }
    std::uint32_t k0 = std::uint32_t(seed), k1 = std::uint32_t(seed >> 32);
    for (int round = 0; round < 10; ++round) {
#pragma omp simd
        for (Index i = 0; i < philox_lanes; ++i) {
            const std::uint64_t a = std::uint64_t(0xD2511F53U) * c0[i], b = std::uint64_t(0xCD9E8D57U) * c2[i];
            c0[i] = std::uint32_t(b >> 32) ^ c1[i] ^ k0;
            c1[i] = std::uint32_t(b);
            c2[i] = std::uint32_t(a >> 32) ^ c3[i] ^ k1;
            c3[i] = std::uint32_t(a);
        }
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
    for (Index i = 0; i < philox_lanes; ++i) {
        words[i] = c0[i];
        words[philox_lanes + i] = c1[i];
        words[2 * philox_lanes + i] = c2[i];
        words[3 * philox_lanes + i] = c3[i];
    }
}

}  // namespace pynet::PYNET_ISA
