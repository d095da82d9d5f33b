// Matrix products: the only place that knows BLAS. Every call runs on the thread that makes it; the pool splits work.
#pragma once

#include "runtime/index.hpp"

namespace pynet {

// c = op(a) op(b) + beta c, all row-major;  op(a): (m, k), op(b): (k, n), c: (m, n);  m, n, k >= 1.
// The leading dimensions are the row lengths of a, b and c as they lie in memory.
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const float* a, Index lda, const float* b,
          Index ldb, float beta, float* c, Index ldc);
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const double* a, Index lda, const double* b,
          Index ldb, double beta, double* c, Index ldc);

// What was linked, for people: "OpenBLAS 0.3.34 ... SkylakeX".
const char* blas_description();

}  // namespace pynet
