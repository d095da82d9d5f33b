#include "runtime/blas.hpp"

#include <cblas.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstdio>
#include <mutex>
#include <string>

// The OpenBLAS that the wheel carries has prefixed names; a system's CBLAS has plain ones and need not be OpenBLAS.
#ifdef PYNET_BLAS_PREFIXED
#define PYNET_BLAS(name) scipy_##name
#else
#define PYNET_BLAS(name) name
extern "C" {
__attribute__((weak)) void openblas_set_num_threads(int);
__attribute__((weak)) char* openblas_get_config(void);
}
#endif

namespace pynet {
namespace {

// BLAS's own threads would fight with the pool: seventeen times slower, measured.
[[maybe_unused]] const bool uses_one_thread = [] {
#ifdef PYNET_BLAS_PREFIXED
    scipy_openblas_set_num_threads(1);
#else
    if (openblas_set_num_threads) openblas_set_num_threads(1);
#endif
    return true;
}();

// Whether the system may refuse memory that it has room for: under `ulimit -v`, or where it promises no more than it
// has.
bool memory_is_limited() {
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) return true;
    int policy = 0;
    if (std::FILE* file = std::fopen("/proc/sys/vm/overcommit_memory", "r")) {
        if (std::fscanf(file, "%d", &policy) != 1) policy = 0;
        std::fclose(file);
    }
    return policy == 2;
}

// OpenBLAS keeps 32 MiB for each of the calls that run at the same time, and ends the process where it cannot have
// them. Where memory was limited when the library was loaded, calls run one at a time, and only with room for the
// first.
class Room {
 public:
    template <class F, class G>
    void call(bool takes_buffer, const F& blas, const G& without) {
        if (!limited_) return blas();
        const std::lock_guard<std::mutex> one_at_a_time(mutex_);
        if (!has_buffer_ && !there_is_room()) return without();
        blas();
        has_buffer_ = has_buffer_ || takes_buffer;
    }
    void lock() { mutex_.lock(); }
    void unlock() { mutex_.unlock(); }

 private:
    static bool there_is_room() {
        constexpr std::size_t size = std::size_t{40} << 20;
        void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory != MAP_FAILED && munmap(memory, size) == 0;
    }
    const bool limited_ = memory_is_limited();
    bool has_buffer_ = false;
    std::mutex mutex_;
};

Room room;
[[maybe_unused]] const int fork_leaves_it_free =
    pthread_atfork([] { room.lock(); }, [] { room.unlock(); }, [] { room.unlock(); });

// The same without BLAS: slow, but it takes no memory.
template <class T>
void multiply_plainly(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const T* a, Index lda, const T* b,
                      Index ldb, T beta, T* c, Index ldc) {
    for (Index i = 0; i < m; ++i) {
        for (Index j = 0; j < n; ++j) {
            double sum = 0;
            for (Index l = 0; l < k; ++l) {
                sum += double(transpose_a ? a[l * lda + i] : a[i * lda + l]) *
                       double(transpose_b ? b[j * ldb + l] : b[l * ldb + j]);
            }
            T& place = c[i * ldc + j];
            place = T(sum) + (beta == 0 ? T(0) : beta * place);
        }
    }
}

// Smaller products may do without a buffer.
bool takes_buffer(Index m, Index n, Index k) { return double(m) * double(n) * double(k) > 4e6; }

CBLAS_TRANSPOSE op(bool transpose) { return transpose ? CblasTrans : CblasNoTrans; }

}  // namespace

// Sizes fit an int: the bindings refuse larger ones.
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const float* a, Index lda, const float* b,
          Index ldb, float beta, float* c, Index ldc) {
    room.call(
        takes_buffer(m, n, k),
        [=] {
            PYNET_BLAS(cblas_sgemm)
            (CblasRowMajor, op(transpose_a), op(transpose_b), int(m), int(n), int(k), 1.0F, a, int(lda), b, int(ldb),
             beta, c, int(ldc));
        },
        [=] { multiply_plainly(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, beta, c, ldc); });
}

void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const double* a, Index lda, const double* b,
          Index ldb, double beta, double* c, Index ldc) {
    room.call(
        takes_buffer(m, n, k),
        [=] {
            PYNET_BLAS(cblas_dgemm)
            (CblasRowMajor, op(transpose_a), op(transpose_b), int(m), int(n), int(k), 1.0, a, int(lda), b, int(ldb),
             beta, c, int(ldc));
        },
        [=] { multiply_plainly(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, beta, c, ldc); });
}

const char* blas_description() {
#ifdef PYNET_BLAS_PREFIXED
    static const std::string text =
        std::string(scipy_openblas_get_config()) + " (" + scipy_openblas_get_corename() + ")";
#else
    static const std::string text = openblas_get_config ? openblas_get_config() : "the system's CBLAS";
#endif
    return text.c_str();
}

}  // namespace pynet
