// The criteria that are a Loss, by name: what a binding and a plan need to know of each.
#pragma once

#include <stdexcept>
#include <string_view>

#include "kernels/kernels.hpp"

namespace pynet {

// What a target's rows are beside the input's: as long; half as long, for a mean and a variance each; or one number.
enum class TargetIs { as_long, half_as_long, one_number };

// What a criterion does not take: the kernel's loss is NaN there.
enum class Refuses { nothing, all_but_probabilities, negative_variances };

template <class T>
struct NamedLoss {
    std::string_view name;
    Loss<T> Kernels<T>::* kernel;
    double operations;  // of an element, about
    TargetIs target = TargetIs::as_long;
    Refuses refuses = Refuses::nothing;

    Index target_columns(Index columns) const {
        return target == TargetIs::one_number ? 1 : target == TargetIs::half_as_long ? columns / 2 : columns;
    }
    Index loss_columns(Index columns) const { return target == TargetIs::half_as_long ? columns / 2 : columns; }
};

template <class T>
inline constexpr NamedLoss<T> all_losses[] = {
    {"mse", &Kernels<T>::mse, 1},
    {"l1_loss", &Kernels<T>::l1_loss, 1},
    {"smooth_l1_loss", &Kernels<T>::smooth_l1_loss, 1},
    {"huber_loss", &Kernels<T>::huber_loss, 1},
    {"bce_loss", &Kernels<T>::bce_loss, 20, TargetIs::as_long, Refuses::all_but_probabilities},
    {"bce_with_logits_loss", &Kernels<T>::bce_with_logits_loss, 20},
    {"kl_div_loss", &Kernels<T>::kl_div_loss, 20},
    {"poisson_nll_loss", &Kernels<T>::poisson_nll_loss, 20},
    {"gaussian_nll_loss", &Kernels<T>::gaussian_nll_loss, 20, TargetIs::half_as_long, Refuses::negative_variances},
    {"pinball_loss", &Kernels<T>::pinball_loss, 1, TargetIs::one_number},
};

template <class T>
const NamedLoss<T>& loss_named(std::string_view name) {
    for (const NamedLoss<T>& loss : all_losses<T>) {
        if (loss.name == name) return loss;
    }
    throw std::invalid_argument("there is no loss of this name");
}

// What the sum of all losses is divided by.
enum class Over { batch, elements, nothing };

inline Over over(std::string_view reduction) {
    return reduction == "batch" || reduction == "batchmean" ? Over::batch
           : reduction == "mean"                            ? Over::elements
                                                            : Over::nothing;
}

inline double divisor_of(Over what, Index batch, Index elements) {
    return what == Over::batch ? double(batch) : what == Over::elements ? double(elements) : 1.0;
}

}  // namespace pynet
