// Elementary functions that the compiler can vectorise: scalar, without branches, one source for float and double.
#pragma once

#include "kernel.hpp"

// Each function is inlined into the caller's loop, where a ?: becomes a blend and a bit operation a vector instruction.
// None converts between integers and reals, because SSE2 and AVX2 cannot for 64 bits; none loses a NaN. The methods are
// those of Muller et al., "Handbook of Floating-Point Arithmetic", and Muller, "Elementary Functions"; the coefficients
// are minimax fits of our own (Remez with 60 digits, then rounded), the errors given are relative to the function.
// tests/cpp/test_math.cpp has the bounds in ULP.
namespace pynet::PYNET_ISA {

template <class T>
struct Real;

template <>
struct Real<float> {
    using Bits = std::uint32_t;
    static constexpr int mantissa_bits = 23;
    static constexpr Bits bias = 127;
    static constexpr float exp_limit = 110.0f;  // limit e^-limit rounds to 0, e^limit is infinite
    // ln 2 = high + low, where high has so few bits that k * high is exact for every exponent k.
    static constexpr float ln2_high = 0x1.62e4p-1f, ln2_low = 1.4286068e-06f;
    // (e^r - 1 - r) / r^2 for |r| <= 0.3467, error of e^r 2^-28.0.
    static constexpr float exp_tail[] = {0.49999994f, 0.16666521f, 0.04166839f, 0.008368735f, 0.0013814565f};
    // (2 atanh(s) - 2 s) / s^3 in z = s^2 for z <= 0.02945, error of atanh 2^-30.1.
    static constexpr float log_tail[] = {0.66666776f, 0.39977553f, 0.29871517f};
    // (1 - tanh(x) / x) / z = over / under in z = x^2 for z <= 1, error of tanh 2^-31.6.
    static constexpr float tanh_over[] = {0.461f, 0.020311525f};
    static constexpr float tanh_under[] = {1.383f, 0.6141343f, 0.021740345f};
};

template <>
struct Real<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa_bits = 52;
    static constexpr Bits bias = 1023;
    static constexpr double exp_limit = 760.0;
    static constexpr double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 5.497923018708371e-14;
    // The same functions on the same intervals, errors 2^-56.4, 2^-59.0 and 2^-60.3.
    static constexpr double exp_tail[] = {0.5000000000000011,    0.16666666666666413,   0.041666666666529927,
                                          0.008333333333494787,  0.0013888888943703623, 0.0001984126950604584,
                                          2.4801493011637156e-5, 2.7557586679814533e-6, 2.763028293515881e-7,
                                          2.500002148845225e-8};
    static constexpr double log_tail[] = {0.6666666666666734, 0.3999999999941484, 0.28571428742391786,
                                          0.2222219856883419, 0.181835647463921,  0.15314035048701977,
                                          0.1479615041424005};
    static constexpr double tanh_over[] = {0.5029999999999999, 0.032301586903544885, 0.0003668463893213661,
                                           2.5943847961312424e-8};
    static constexpr double tanh_under[] = {1.509, 0.7005047607106286, 0.0369881577379856, 0.00038345903365631233};
};

template <class T>
using Bits = typename Real<T>::Bits;

template <class T>
[[gnu::always_inline]] constexpr Bits<T> to_bits(T x) {
    return __builtin_bit_cast(Bits<T>, x);
}

template <class T>
[[gnu::always_inline]] constexpr T from_bits(Bits<T> bits) {
    return __builtin_bit_cast(T, bits);
}

template <class T>
constexpr Bits<T> sign_bit = to_bits(T(-0.0));

template <class T>
constexpr T infinity = T(__builtin_inf());

// From here to twice this, the numbers are integers, and the mantissa bits count them.
template <class T>
constexpr T integers = T(Bits<T>(1) << Real<T>::mantissa_bits);

template <class T>
[[gnu::always_inline]] inline T magnitude(T x) {
    return from_bits<T>(to_bits(x) & ~sign_bit<T>);
}

template <class T>
[[gnu::always_inline]] inline T with_sign_of(T x, T positive) {
    return from_bits<T>(to_bits(positive) | (to_bits(x) & sign_bit<T>));
}

template <class T>
[[gnu::always_inline]] inline T power_of_two(Bits<T> biased_exponent) {
    return from_bits<T>(biased_exponent << Real<T>::mantissa_bits);
}

// Rounds once where there is FMA. Explicit, because the compiler might contract a loop's body but not its tail.
template <class T>
[[gnu::always_inline]] inline T multiply_add(T a, T b, T c) {
#ifdef __FMA__
    if constexpr (sizeof(T) == sizeof(float))
        return __builtin_fmaf(a, b, c);
    else
        return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

// a b - product, exactly, for the rounded product.
template <class T>
[[gnu::always_inline]] inline T product_error(T a, T b, T product) {
#ifdef __FMA__
    return multiply_add(a, b, -product);
#else
    // Halves whose products are exact (Dekker).
    constexpr Bits<T> upper = ~((Bits<T>(1) << (Real<T>::mantissa_bits + 2) / 2) - 1);
    const T a_high = from_bits<T>(to_bits(a) & upper), a_low = a - a_high;
    const T b_high = from_bits<T>(to_bits(b) & upper), b_low = b - b_high;
    return ((a_high * b_high - product) + (a_high * b_low + a_low * b_high)) + a_low * b_low;
#endif
}

template <class T, int count>
[[gnu::always_inline]] inline T polynomial(T x, const T (&coefficients)[count]) {
    T sum = coefficients[count - 1];
#pragma GCC unroll 32
    for (int i = count - 2; i >= 0; --i) sum = multiply_add(sum, x, coefficients[i]);
    return sum;
}

// x, or the limit of its sign where it is beyond. The sign keeps the limit from being a constant, for which the
// compiler would compute all that follows apart.
template <class T>
[[gnu::always_inline]] inline T within(T x, T limit) {
    return magnitude(x) > limit ? with_sign_of(x, limit) : x;
}

// x - excess = k ln 2 + high + low, where high + low is small, with the argument reduction of Cody & Waite; |x| no
// larger than exp_limit.
template <class T>
struct Reduced {
    Bits<T> k;
    T high, low;
};

template <class T>
[[gnu::always_inline]] inline Reduced<T> reduce(T x, T excess) {
    // In the sum with 1.5 * 2^mantissa_bits, the low bits are the nearest integer.
    constexpr T shifter = T(1.5) * integers<T>;
    const T shifted = multiply_add(x, T(1.4426950408889634), shifter);
    const T k = shifted - shifter;
    // The first is exact.
    return {to_bits(shifted) - to_bits(shifter), multiply_add(k, -Real<T>::ln2_high, x),
            multiply_add(k, -Real<T>::ln2_low, -excess)};
}

// (e^r - 1) - high for r = high + low.
template <class T>
[[gnu::always_inline]] inline T expm1_tail(T high, T low) {
    const T r = high + low;
    return multiply_add(r * r, polynomial(r, Real<T>::exp_tail), low);
}

// An exponential in three factors. A product of it puts its other factors before the last, which is the only one that
// can round a subnormal: so the product keeps its digits where the exponential alone would have lost some.
template <class T>
struct Exponential {
    T power, first, second;

    [[gnu::always_inline]] T value() const { return power * first * second; }
    [[gnu::always_inline]] T times(T factor) const { return factor * power * first * second; }
};

// exp(x - excess) for an x that was rounded by excess: 2^k e^r.
template <class T>
[[gnu::always_inline]] inline Exponential<T> exponential(T x, T excess) {
    const bool beyond = magnitude(x) > Real<T>::exp_limit;
    const Reduced<T> r = reduce(within(x, Real<T>::exp_limit), beyond ? T(0) : excess);  // inf - inf there
    // e^r = 1 + high + tail, and the error of 1 + high is known exactly (Fast2Sum).
    const T sum = 1 + r.high;
    const T lost = (1 - sum) + r.high;
    const T power = sum + (lost + expm1_tail(r.high, r.low));
    // 2^k may be out of range where the result is not.
    const Bits<T> biased = r.k + 2 * Real<T>::bias;
    return {power, power_of_two<T>(biased / 2), power_of_two<T>(biased - biased / 2)};
}

template <class T>
[[gnu::always_inline]] inline T exp_of_rounded(T x, T excess) {
    return exponential(x, excess).value();
}

template <class T>
[[gnu::always_inline]] inline T exp(T x) {
    return exp_of_rounded(x, T(0));
}

// exp(x) - 1, for x <= 0 only: 2^k - 1 + 2^k (e^r - 1).
template <class T>
[[gnu::always_inline]] inline T expm1(T x) {
    const Reduced<T> r = reduce(within(x, T(64)), T(0));  // beyond, it is -1
    const T scale = power_of_two<T>(r.k + Real<T>::bias);
    return multiply_add(scale, r.high + expm1_tail(r.high, r.low), scale - 1);
}

// exp(x - m) for m >= x. The error of x - m (TwoSum) would be a relative error of the result, and large for large x.
template <class T>
[[gnu::always_inline]] inline T exp_minus(T x, T m) {
    const T difference = x - m;
    const T minus_m = difference - x;
    return exp_of_rounded(difference, (m + minus_m) - (x - (difference - minus_m)));
}

// x = 2^exponent * mantissa with sqrt(1/2) <= mantissa < sqrt(2), for normal x > 0.
template <class T>
struct Split {
    T exponent, mantissa;
};

template <class T>
[[gnu::always_inline]] inline Split<T> split(T x) {
    constexpr Bits<T> root_half = to_bits(T(0.70710678118654752)), one = to_bits(T(1)), two = to_bits(T(2));
    const Bits<T> bits = to_bits(x) + (one - root_half);  // from sqrt(2) on, this carries into the exponent
    const T biased = from_bits<T>((bits >> Real<T>::mantissa_bits) | to_bits(integers<T>));
    return {biased - (integers<T> + T(Real<T>::bias)), from_bits<T>((bits & (two - one - 1)) + root_half)};
}

// k ln 2 + log(1 + g) for a mantissa 1 + g. With s = g / (2 + g) and h = g^2 / 2, log(1 + g) = 2 atanh(s)
// = g - h + s (h + tail), where tail = 2 atanh(s) / s - 2: only the small terms are rounded before the last sum.
template <class T>
[[gnu::always_inline]] inline T log_of_parts(T k, T g) {
    const T s = g / (2 + g), z = s * s, h = T(0.5) * g * g;
    const T tail = z * polynomial(z, Real<T>::log_tail);
    const T high = k * Real<T>::ln2_high;  // exact
    const T sum = high + g;
    const T lost = g - (sum - high);  // exact (Fast2Sum): high is 0 or larger than g
    return sum + (lost + (multiply_add(s, h + tail, k * Real<T>::ln2_low) - h));
}

template <class T>
[[gnu::always_inline]] inline T log(T x) {
    const bool subnormal = x < power_of_two<T>(1);
    const Split<T> parts = split(subnormal ? x * integers<T> : x);
    const T k = parts.exponent - (subnormal ? T(Real<T>::mantissa_bits) : T(0));
    T y = log_of_parts(k, parts.mantissa - 1);
    y = x < infinity<T> ? y : x;  // or NaN
    y = x < 0 ? T(__builtin_nan("")) : y;
    return x == 0 ? -infinity<T> : y;
}

// For x >= 0 only.
template <class T>
[[gnu::always_inline]] inline T log1p(T x) {
    const T sum = 1 + x;
    const T rounded_one = sum - x;
    const T lost = (1 - rounded_one) + (x - (sum - rounded_one));  // TwoSum: x may be larger than 1 or smaller
    const Split<T> parts = split(sum);
    // 2 / 2^exponent, which unlike its half is never below the exponent range.
    const T scale = from_bits<T>(to_bits(T(2)) + to_bits(parts.mantissa) - to_bits(sum));
    const T y = log_of_parts(parts.exponent, (parts.mantissa - 1) + lost * (T(0.5) * scale));
    return x < infinity<T> ? y : x;
}

// Below 1 it is a - a z over / under, from there 1 - 2 / (1 + e^2a): one division, the slowest step, for both.
template <class T>
[[gnu::always_inline]] inline T tanh(T x) {
    const T a = magnitude(x), z = a * a;
    const bool small = a < 1;
    const T over = small ? z * polynomial(z, Real<T>::tanh_over) : T(2);
    const T under = small ? polynomial(z, Real<T>::tanh_under) : 1 + exp(2 * a);
    const T start = small ? a : T(1);
    return with_sign_of(x, multiply_add(-start, over / under, start));
}

// With a t = e^-|x| that cannot overflow, 1 / (1 + t), or t / (1 + t) for x < 0. Where t is small that is t - t y, so
// that the roundings of 1 + t and of the division hardly matter.
template <class T>
[[gnu::always_inline]] inline T sigmoid(T x) {
    const T t = exp(-magnitude(x));
    const T y = (x >= 0 ? T(1) : t) / (1 + t);
    return x < T(-0.7) ? multiply_add(-t, y, t) : y;
}

// s (1 - s) for s = sigmoid(x), without the cancellation.
template <class T>
[[gnu::always_inline]] inline T sigmoid_derivative(T x) {
    const T t = exp(-magnitude(x));
    return t / multiply_add(t, 2 + t, T(1));
}

// 1 - tanh(x)^2, likewise.
template <class T>
[[gnu::always_inline]] inline T tanh_derivative(T x) {
    return 4 * sigmoid_derivative(2 * x);
}

}  // namespace pynet::PYNET_ISA
