// GELU weighs its input with the probability that a normal number is below it.
#pragma once

#include "activation.hpp"
#include "gated.hpp"
#include "normal.hpp"

namespace pynet::PYNET_ISA {

// value = x Phi(x) = x erfc(-x / sqrt(2)) / 2;  derivative = Phi(x) + x phi(x).
template <class T>
struct Gelu {
    static constexpr Index grain = costly_grain;
    static constexpr T far = 64;  // from here on, Phi(x) is 0 or 1, and -inf gives 0 like its neighbours

    T value(T x) const {
        const T a = magnitude(within(x, far));
        const NormalTail<T> tail = normal_tail(a);
        const T lower = tail.density.times(a * tail.scale * tail.ratio);
        return x < 0 ? -lower : x - lower;
    }
    T gradient(T x, T grad) const {
        const T a = magnitude(within(x, far));
        const NormalTail<T> tail = normal_tail(a);
        constexpr T root = T(0.3989422804014327);  // 1 / sqrt(2 pi)
        const T lower = tail.density.times(multiply_add(tail.scale, tail.ratio, -a * root));
        return (x < 0 ? lower : 1 - lower) * grad;
    }
};

// The argument of GELU's sigmoid in its tanh form, 2 u = 2 sqrt(2 / pi) (x + 0.044715 x^3), as 2 u = v - excess: what
// v is rounded by would be a relative error of exp(v), and large for large x. The constants too are sums of two.
template <class T>
struct GeluConstants;

template <>
struct GeluConstants<float> {
    static constexpr float far = 11.0f;  // from here on, the sigmoid is 0 or 1
    static constexpr float linear = 1.59576917f, linear_rest = -4.53406805e-08f;
    static constexpr float cubic = 0.0713548139f, cubic_rest = 2.39883247e-09f;
};

template <>
struct GeluConstants<double> {
    static constexpr double far = 22.0;
    static constexpr double linear = 1.5957691216057308, linear_rest = -9.96930880911092e-17;
    static constexpr double cubic = 0.07135481627260025, cubic_rest = -6.175149918155315e-19;
};

template <class T>
struct GeluTanh {
    static constexpr Index grain = costly_grain;
    using C = GeluConstants<T>;

    struct Argument {
        T value, excess;
    };
    [[gnu::always_inline]] static Argument argument(T x) {
        const T square = x * x;
        const T term = C::cubic * square;
        const T term_rest = product_error(C::cubic, square, term) +
                            multiply_add(C::cubic, product_error(x, x, square), C::cubic_rest * square);
        const T sum = C::linear + term;
        const T added = sum - C::linear;
        const T sum_rest = ((C::linear - (sum - added)) + (term - added)) + (term_rest + C::linear_rest);  // TwoSum
        const T value = x * sum;
        return {value, -multiply_add(x, sum_rest, product_error(x, sum, value))};
    }

    T value(T x) const {
        const Argument v = argument(within(x, C::far));
        return gated(x, v.value, v.excess);
    }
    T gradient(T x, T grad) const {
        const T near = within(x, C::far);
        const Argument v = argument(near);
        const T slope = multiply_add(3 * C::cubic, near * near, C::linear);
        return gated_derivative(v.value, v.excess, near * slope) * grad;
    }
};

template <class T>
constexpr Activation<T> gelu = activation<T, Gelu<T>>;

template <class T>
constexpr Activation<T> gelu_tanh = activation<T, GeluTanh<T>>;

}  // namespace pynet::PYNET_ISA
