#include "runtime/blas.hpp"

#include <cblas.h>

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

CBLAS_TRANSPOSE op(bool transpose) { return transpose ? CblasTrans : CblasNoTrans; }

}  // namespace

// Sizes fit an int: the bindings refuse larger ones.
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const float* a, Index lda, const float* b,
          Index ldb, float beta, float* c, Index ldc) {
    PYNET_BLAS(cblas_sgemm)
    (CblasRowMajor, op(transpose_a), op(transpose_b), int(m), int(n), int(k), 1.0F, a, int(lda), b, int(ldb), beta, c,
     int(ldc));
}

void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const double* a, Index lda, const double* b,
          Index ldb, double beta, double* c, Index ldc) {
    PYNET_BLAS(cblas_dgemm)
    (CblasRowMajor, op(transpose_a), op(transpose_b), int(m), int(n), int(k), 1.0, a, int(lda), b, int(ldb), beta, c,
     int(ldc));
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
