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
    [[gnu::always_inline]] explicit FlushDenormals(bool wanted = true) : before_(_mm_getcsr()), wanted_(wanted) {
        if (changes()) _mm_setcsr(before_ | both);
    }
    [[gnu::always_inline]] ~FlushDenormals() {
        if (changes()) _mm_setcsr(before_);
    }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
    static constexpr unsigned both = 0x8000 | 0x0040;  // flush to zero, denormals are zero
    // To set the mode takes longer than to look at it.
    bool changes() const { return wanted_ && (before_ & both) != both; }
    unsigned before_;
    bool wanted_;
#else
    explicit FlushDenormals(bool = true) {}
#endif
};

}  // namespace pynet
