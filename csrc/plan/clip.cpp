// The end of a step whose gradients are clipped.
#include <cmath>

#include "plan/call.hpp"

namespace pynet {

// The gradients are all there: limits them and moves the parameters.
template <class T>
void Plan<T>::clip(Team& team) {
    const auto& kernel = kernels<T>().clipping;
    const Clip limits = optimizer.clip;
    const auto for_own = [&](const auto& f) {
        team.share(parts_, [&](Index part) {
            for (Parameter<T>* p : parameters_) {
                const Index first = cut(p->size, part, parts_, 16), last = cut(p->size, part + 1, parts_, 16);
                if (first < last) f(part, *p, first, last - first);
            }
        });
    };
    if (limits.norm != INFINITY) {
        double* sums = sums_.data() + parts_;
        team.share(parts_, [&](Index part) { sums[part] = sums[parts_ + part] = 0; });
        for_own([&](Index part, const Parameter<T>& p, Index first, Index count) {
            const double most = kernel.largest(p.place + first, count);
            if (!(most <= sums[part])) sums[part] = most;  // NaN stays
        });
        double largest = 0;
        for (Index part = 0; part < parts_; ++part) {
            if (!(sums[part] <= largest)) largest = sums[part];
        }
        double norm = largest;
        if (largest > 0 && largest < INFINITY) {  // in units of the largest, no square is too large for a double
            for_own([&](Index part, const Parameter<T>& p, Index first, Index count) {
                sums[parts_ + part] += kernel.sum_of_squares(p.place + first, count, largest);
            });
            double sum = 0;
            for (Index part = 0; part < parts_; ++part) sum += sums[parts_ + part];
            norm = largest * std::sqrt(sum);
        }
        const double factor = limits.norm / (norm + 1e-6);  // PyTorch's
        if (!(factor >= 1)) {
            for_own([&](Index, const Parameter<T>& p, Index first, Index count) {
                kernel.scale(p.place + first, count, factor);
            });
        }
    }
    for_own([&](Index, const Parameter<T>& p, Index first, Index count) {
        if (limits.value != INFINITY) kernel.limit(p.place + first, count, limits.value);
        optimizer.move(p, first, count, p.place + first);
    });
}

template void Plan<float>::clip(Team&);
template void Plan<double>::clip(Team&);

}  // namespace pynet
