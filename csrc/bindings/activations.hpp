// The one list of element-wise activations, from which both their functions on arrays and their place in a plan come.
#pragma once

#include "bindings/arrays.hpp"
#include "kernels/kernels.hpp"

namespace pynet {

// f(name, what an element costs, kernel), where kernel(T()) is that of float or double.
// ReLU is not here: a plan knows more of it.
template <class F>
void for_each_activation(const F& f) {
    f("elu", costly, [](auto zero) { return kernels<decltype(zero)>().elu; });
    f("gelu", costly, [](auto zero) { return kernels<decltype(zero)>().gelu; });
    f("gelu_tanh", costly, [](auto zero) { return kernels<decltype(zero)>().gelu_tanh; });
    f("hardsigmoid", cheap, [](auto zero) { return kernels<decltype(zero)>().hardsigmoid; });
    f("hardswish", cheap, [](auto zero) { return kernels<decltype(zero)>().hardswish; });
    f("hardtanh", cheap, [](auto zero) { return kernels<decltype(zero)>().hardtanh; });
    f("leaky_relu", cheap, [](auto zero) { return kernels<decltype(zero)>().leaky_relu; });
    f("log_sigmoid", costly, [](auto zero) { return kernels<decltype(zero)>().log_sigmoid; });
    f("mish", costly, [](auto zero) { return kernels<decltype(zero)>().mish; });
    f("selu", costly, [](auto zero) { return kernels<decltype(zero)>().selu; });
    f("sigmoid", costly, [](auto zero) { return kernels<decltype(zero)>().sigmoid; });
    f("silu", costly, [](auto zero) { return kernels<decltype(zero)>().silu; });
    f("softplus", costly, [](auto zero) { return kernels<decltype(zero)>().softplus; });
    f("softsign", cheap, [](auto zero) { return kernels<decltype(zero)>().softsign; });
    f("tanh", costly, [](auto zero) { return kernels<decltype(zero)>().tanh; });
}

}  // namespace pynet
