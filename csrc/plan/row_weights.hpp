// What each row of a batch counts in a loss, for kernels that know of no weights.
#pragma once

#include "runtime/index.hpp"

namespace pynet {

// f(first, last, weight) for all rows at once, or one after another if each has a weight of its own.
template <class T, class F>
void for_weights(const T* weights, Index rows, const F& f) {
    if (!weights) return f(Index(0), rows, 1.0);
    for (Index n = 0; n < rows; ++n) f(n, n + 1, double(weights[n]));
}

}  // namespace pynet
