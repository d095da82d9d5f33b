// SELU is an ELU whose two constants keep mean 0 and variance 1 from layer to layer.
#pragma once

#include "activation.hpp"
#include "math.hpp"

namespace pynet::PYNET_ISA {

// value = scale (x > 0 ? x : alpha (e^x - 1));  at 0 the derivative is scale alpha.
template <class T>
struct Selu {
    static constexpr Index grain = costly_grain;
    static constexpr T scale = T(1.0507009873554804934), scale_alpha = T(1.7580993408473768600);
    T value(T x) const { return x >= 0 ? scale * x : scale_alpha * expm1(x); }
    T gradient(T x, T grad) const { return x > 0 ? scale * grad : scale_alpha * exp(x) * grad; }
};

template <class T>
constexpr Activation<T> selu = activation<T, Selu<T>>;

}  // namespace pynet::PYNET_ISA
