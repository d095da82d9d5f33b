// The table of contents of the kernels: one line per stem, one table per instruction set and type.
#pragma once

#include "activation.hpp"
#include "adadelta.hpp"
#include "adagrad.hpp"
#include "adam.hpp"
#include "batch_norm.hpp"
#include "bce_loss.hpp"
#include "bce_with_logits_loss.hpp"
#include "clipping.hpp"
#include "cross_entropy.hpp"
#include "cross_entropy_loss.hpp"
#include "dropout.hpp"
#include "elu.hpp"
#include "embedding.hpp"
#include "gaussian_nll_loss.hpp"
#include "gelu.hpp"
#include "hardsigmoid.hpp"
#include "hardswish.hpp"
#include "hardtanh.hpp"
#include "huber_loss.hpp"
#include "kl_div_loss.hpp"
#include "l1_loss.hpp"
#include "leaky_relu.hpp"
#include "linear.hpp"
#include "log_sigmoid.hpp"
#include "log_softmax.hpp"
#include "math_loops.hpp"
#include "mish.hpp"
#include "mse.hpp"
#include "nadam.hpp"
#include "nll_loss.hpp"
#include "norm.hpp"
#include "pinball_loss.hpp"
#include "poisson_nll_loss.hpp"
#include "prelu.hpp"
#include "product.hpp"
#include "relu.hpp"
#include "rmsprop.hpp"
#include "runtime/dispatch.hpp"
#include "selu.hpp"
#include "sgd.hpp"
#include "sigmoid.hpp"
#include "silu.hpp"
#include "smooth_l1_loss.hpp"
#include "softmax.hpp"
#include "softplus.hpp"
#include "softsign.hpp"
#include "tanh.hpp"

namespace pynet {

template <class T>
struct Kernels {
    Activation<T> relu;
    Activation<T, T> leaky_relu;
    Activation<T> sigmoid;
    Activation<T> tanh;
    Activation<T, T> elu;
    Activation<T> gelu;
    Activation<T> gelu_tanh;
    Activation<T> hardsigmoid;
    Activation<T> hardswish;
    Activation<T, T, T> hardtanh;
    Activation<T> log_sigmoid;
    Activation<T> mish;
    Activation<T> selu;
    Activation<T> silu;
    Activation<T, T, T> softplus;
    Activation<T> softsign;
    Prelu<T> prelu;
    Linear<T> linear;
    Product<T> product;
    Softmax<T> softmax;
    LogSoftmax<T> log_softmax;
    Dropout<T> dropout;
    BatchNorm<T> batch_norm;
    Norm<T> norm;
    Embedding<T> embedding;
    Loss<T> mse;
    Loss<T> l1_loss;
    Loss<T> smooth_l1_loss;
    Loss<T> huber_loss;
    Loss<T> bce_loss;
    Loss<T> bce_with_logits_loss;
    Loss<T> kl_div_loss;
    Loss<T> poisson_nll_loss;
    Loss<T> gaussian_nll_loss;
    Loss<T> pinball_loss;
    NllLoss<T> nll_loss;
    CrossEntropy<T> cross_entropy;
    CrossEntropyLoss<T> cross_entropy_loss;
    Update<T, SgdOptions> sgd;
    Update<T, AdamOptions> adam;
    Update<T, NadamOptions> nadam;
    Update<T, RmspropOptions> rmsprop;
    Update<T, AdagradOptions> adagrad;
    Update<T, AdadeltaOptions> adadelta;
    Clipping<T> clipping;
    Math<T> math;
};

// The kernels of one instruction set, which the CPU must support: for tests.
template <class T>
const Kernels<T>& kernels(Isa isa);

// The kernels that this machine uses.
template <class T>
const Kernels<T>& kernels() {
    static const Kernels<T>& active = kernels<T>(active_isa());
    return active;
}

}  // namespace pynet
