// Numbers too small for full precision: slow to compute with, and no loss where a network trains.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace pynet {

// While it lives, this thread takes denormals for 0: momentum of what gets no gradient decays into them, stays there,
// and makes steps five times slower. The thread's floating-point mode is restored at the end.
class FlushDenormals {
 public:
#if defined(__x86_64__)
    [[gnu::always_inline]] FlushDenormals() : before_(_mm_getcsr()) {
        _mm_setcsr(before_ | flush_to_zero | denormals_are_zero);
    }
    [[gnu::always_inline]] ~FlushDenormals() { _mm_setcsr(before_); }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
    static constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
    unsigned before_;
#endif
};

}  // namespace pynet
