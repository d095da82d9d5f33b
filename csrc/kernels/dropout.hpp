// Dropout silences random elements while a network trains.
#pragma once

#include "blocks.hpp"
#include "philox.hpp"

namespace pynet {

template <class T>
struct Dropout {
    // mask[i] = 1 with probability 1 - p, a function of seed and i alone;  output = mask ? input / (1 - p) : 0
    void (*forward)(const T* input, T* output, std::uint8_t* mask, Index size, std::uint64_t seed, double p);
    // That mask alone, of the elements from begin to end.
    void (*draw)(std::uint8_t* mask, Index begin, Index end, std::uint64_t seed, double p);
    // grad_input = mask ? grad_output / (1 - p) : 0;  also what forward does once there is a mask
    void (*backward)(const T* grad_output, const std::uint8_t* mask, T* grad_input, Index size, double p);
};

namespace PYNET_ISA {

// Selected, not multiplied: a dropped infinity is 0, not NaN.
template <class T>
void dropout_backward(const T* grad_output, const std::uint8_t* mask, T* grad_input, Index size, double p) {
    const T scale = T(1 / (1 - p));
    for_blocks(size, cheap_grain, [=](Index begin, Index end) {
#pragma omp simd
        for (Index i = begin; i < end; ++i) grad_input[i] = mask[i] ? grad_output[i] * scale : T(0);
    });
}

inline void draw_mask(std::uint8_t* mask, Index begin, Index end, std::uint64_t seed, double p) {
    const double bound = p * 4294967296.0;
    const std::uint32_t dropped = bound < 4294967295.0 ? std::uint32_t(bound) : 4294967295U;
    for (Index group = begin / philox_words; group * philox_words < end; ++group) {
        std::uint32_t words[philox_words];
        philox(seed, std::uint64_t(group), words);
        const Index start = group * philox_words;
        const Index first = begin > start ? begin - start : 0;
        const Index last = end - start < philox_words ? end - start : philox_words;
        for (Index i = first; i < last; ++i) mask[start + i] = words[i] >= dropped;
    }
}

template <class T>
void dropout_forward(const T* input, T* output, std::uint8_t* mask, Index size, std::uint64_t seed, double p) {
    const Index groups = (size + philox_words - 1) / philox_words;
    for_blocks(groups, costly_grain / philox_words, [=](Index begin, Index end) {
        draw_mask(mask, begin * philox_words, end == groups ? size : end * philox_words, seed, p);
    });
    dropout_backward(input, mask, output, size, p);
}

template <class T>
constexpr Dropout<T> dropout{dropout_forward<T>, draw_mask, dropout_backward<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
