// All kernels of one instruction set, in its namespace.
#pragma once

#include "kernels.hpp"

namespace pynet::PYNET_ISA {

extern const Kernels<float> float_kernels;
extern const Kernels<double> double_kernels;

template <class T>
constexpr Kernels<T> table{relu<T>,
                           leaky_relu<T>,
                           sigmoid_activation<T>,
                           tanh_activation<T>,
                           elu<T>,
                           gelu<T>,
                           gelu_tanh<T>,
                           hardsigmoid<T>,
                           hardswish<T>,
                           hardtanh<T>,
                           log_sigmoid<T>,
                           mish<T>,
                           selu<T>,
                           silu<T>,
                           softplus<T>,
                           softsign<T>,
                           prelu<T>,
                           linear<T>,
                           product<T>,
                           softmax<T>,
                           log_softmax<T>,
                           dropout<T>,
                           batch_norm<T>,
                           norm<T>,
                           embedding<T>,
                           mse<T>,
                           l1_loss<T>,
                           smooth_l1_loss<T>,
                           huber_loss<T>,
                           bce_loss<T>,
                           bce_with_logits_loss<T>,
                           kl_div_loss<T>,
                           poisson_nll_loss<T>,
                           gaussian_nll_loss<T>,
                           pinball_loss<T>,
                           nll_loss<T>,
                           cross_entropy<T>,
                           cross_entropy_loss<T>,
                           update_of<T, SgdOptions>,
                           update_of<T, AdamOptions>,
                           update_of<T, NadamOptions>,
                           update_of<T, RmspropOptions>,
                           update_of<T, AdagradOptions>,
                           update_of<T, AdadeltaOptions>,
                           clipping<T>,
                           math<T>};

}  // namespace pynet::PYNET_ISA
