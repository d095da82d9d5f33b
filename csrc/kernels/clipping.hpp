// What clipping does to gradients: find the largest, add up squares, scale, and limit.
#pragma once

#include "blocks.hpp"

namespace pynet {

template <class T>
struct Clipping {
    // max |g[i]|, and NaN if there is one; 0 of nothing
    double (*largest)(const T* grad, Index size);
    // sum (g[i] / unit)^2, in double
    double (*sum_of_squares)(const T* grad, Index size, double unit);
    // g *= factor
    void (*scale)(T* grad, Index size, double factor);
    // g = min(max(g, -limit), limit), and NaN stays NaN
    void (*limit)(T* grad, Index size, double limit);
};

namespace PYNET_ISA {

template <class T>
double largest(const T* grad, Index size) {
    T most = 0, poison = 0;  // a maximum passes over NaN, a sum of g - g does not
#pragma omp simd reduction(max : most) reduction(+ : poison)
    for (Index i = 0; i < size; ++i) {
        const T g = grad[i] < 0 ? -grad[i] : grad[i];
        most = g > most ? g : most;
        poison += g != g ? g : T(0);
    }
    return double(most) + double(poison);
}

template <class T>
double sum_of_squares(const T* grad, Index size, double unit) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Index i = 0; i < size; ++i) {
        const double g = double(grad[i]) / unit;
        sum += g * g;
    }
    return sum;
}

template <class T>
void scale(T* grad, Index size, double factor) {
#pragma omp simd
    for (Index i = 0; i < size; ++i) grad[i] = T(double(grad[i]) * factor);
}

template <class T>
void limit(T* grad, Index size, double limit) {
    const T high = T(limit), low = -high;
#pragma omp simd
    for (Index i = 0; i < size; ++i) grad[i] = grad[i] > high ? high : grad[i] < low ? low : grad[i];
}

template <class T>
constexpr Clipping<T> clipping{largest<T>, sum_of_squares<T>, scale<T>, limit<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
