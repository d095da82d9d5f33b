// What optimizers move parameters by: a gradient as it lies in memory, or one that need not: of a single row of a
// batch, a Linear's gradient is the product of two vectors.
#pragma once

#include "kernel.hpp"

namespace pynet::PYNET_ISA {

template <class T>
struct GivenGradient {
    const T* gradient;
    T operator()(Index i) const { return gradient[i]; }
};

// One row of an outer product.
template <class T>
struct ScaledRow {
    T factor;
    const T* x;
    T operator()(Index i) const { return factor * x[i]; }
};

}  // namespace pynet::PYNET_ISA
