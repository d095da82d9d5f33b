// The normal distribution's tail: GELU's erfc, without the loss of digits that 1 + erf has far left.
#pragma once

#include "math.hpp"

namespace pynet::PYNET_ISA {

template <class T>
struct Mills;

// (a + center) exp(a^2 / 2) Phi(-a) as a polynomial in t = (a - center) / (a + center), which is between -1 and 1 for
// all a >= 0: there it varies slowly, so that the rounding of t does not matter (Shepherd & Laframboise, 1981). Minimax
// fits of our own (Remez with 60 digits, weighted by the function), for a <= 15, error 2^-29.9.
template <>
struct Mills<float> {
    static constexpr float center = 4.5f;
    static constexpr float coefficients[] = {0.763230503f,     -0.640257776f,    0.446452528f,   -0.253141344f,
                                             0.111382484f,     -0.0338763259f,   0.00422275392f, 0.0017705959f,
                                             -0.000906195841f, -3.09167881e-05f, 8.21459107e-05f};
};

// The same for a <= 40, error 2^-57.2.
template <>
struct Mills<double> {
    static constexpr double center = 5.0;
    static constexpr double coefficients[] = {
        0.769193049750063,      -0.6653825028900567,    0.4953056159699774,     -0.3135331566712959,
        0.1650203661703299,     -0.06911863870658173,   0.020795066800996492,   -0.0029933767664952135,
        -0.0007978694096922252, 0.0005448990312484246,  -5.937566468453138e-05, -4.9762641657060183e-05,
        1.6681005014554732e-05, 3.980333353352763e-06,  -2.768875451315743e-06, -3.3541240030516525e-07,
        4.3279483814305224e-07, 4.069617311796161e-08,  -6.597462416551179e-08, -8.143843397318135e-09,
        7.964573275344094e-09,  1.3794405948778048e-09, -3.2345539149198906e-10};
};

// Phi(-a) = density scale ratio for a >= 0, where density = exp(-a^2 / 2) and scale = 1 / (a + center).
template <class T>
struct NormalTail {
    Exponential<T> density;
    T scale, ratio;
};

template <class T>
[[gnu::always_inline]] inline NormalTail<T> normal_tail(T a) {
    const T scale = 1 / (a + Mills<T>::center), square = a * a;
    const T t = multiply_add(2 * a, scale, T(-1));
    // The rounding of a^2 would be a relative error of the result, and large for large a.
    return {exponential(T(-0.5) * square, T(0.5) * product_error(a, a, square)), scale,
            polynomial(t, Mills<T>::coefficients)};
}

}  // namespace pynet::PYNET_ISA
