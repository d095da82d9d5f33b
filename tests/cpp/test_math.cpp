// The elementary functions: errors in ULP (against libm in long double), special values, the same bits in every lane.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <type_traits>

#include "kernels_to_test.hpp"

using pynet::Index;
using pynet::Isa;
using pynet::Math;

namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
T from_bits(Bits<T> bits) {
    T x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

// The same bits; one NaN is as good as another.
template <class T>
bool same(T a, T b) {
    return (a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0;
}

// |got - reference| in units of the last place of a T as large as the reference, also where that is subnormal.
template <class T>
double ulp_error(T got, long double reference) {
    using Limits = std::numeric_limits<T>;
    if (got == static_cast<T>(reference) || (std::isnan(got) && std::isnan(reference))) return 0;
    if (std::isnan(got) || !std::isfinite(reference)) return INFINITY;
    // An infinity for a large finite number is as wrong as the number that would come after the largest.
    const long double value = std::isinf(got) ? std::copysign(std::ldexp(1.0L, Limits::max_exponent), got) : got;
    int exponent = Limits::min_exponent;
    if (reference != 0) std::frexp(reference, &exponent);
    exponent = std::clamp(exponent, int(Limits::min_exponent), int(Limits::max_exponent));
    return double(std::ldexp(std::fabs(value - reference), Limits::digits - exponent));
}

template <class T>
struct Function {
    const char* name;
    void (*Math<T>::*member)(const T*, T*, Index);
    long double (*reference)(long double);
    double bound;  // in ULP
};

template <class T>
std::vector<Function<T>> functions() {
    using M = Math<T>;
    using Real = long double;
    return {{"exp", &M::exp, [](Real x) { return std::exp(x); }, 1},
            {"log", &M::log, [](Real x) { return std::log(x); }, 1},
            {"log1p", &M::log1p, [](Real x) { return std::log1p(x); }, 2},
            {"tanh", &M::tanh, [](Real x) { return std::tanh(x); }, 2},
            {"sigmoid", &M::sigmoid,
             [](Real x) {
                 const Real t = std::exp(-std::fabs(x));
                 return (x >= 0 ? 1 : t) / (1 + t);
             },
             2},
            {"tanh_derivative", &M::tanh_derivative,
             [](Real x) {
                 const Real t = std::exp(-2 * std::fabs(x));
                 return 4 * t / ((1 + t) * (1 + t));
             },
             3},
            {"sigmoid_derivative", &M::sigmoid_derivative,
             [](Real x) {
                 const Real t = std::exp(-std::fabs(x));
                 return t / ((1 + t) * (1 + t));
             },
             3}};
}

// Zeros, subnormals, infinities, NaN, and the neighbours of where a function or its result changes course.
template <class T>
std::vector<T> special_values() {
    using Limits = std::numeric_limits<T>;
    std::vector<T> values{0,
                          Limits::denorm_min(),
                          Limits::min() - Limits::denorm_min(),
                          Limits::min(),
                          Limits::epsilon(),
                          Limits::max(),
                          Limits::infinity(),
                          Limits::quiet_NaN()};
    const double ln2 = std::log(2.0);
    for (double x : {ln2 / 2, std::sqrt(2.0) - 1, std::sqrt(0.5), 1.0, std::sqrt(2.0), 104.0, 746.0,
                     ln2 * Limits::max_exponent, ln2 * (1 - Limits::min_exponent),
                     ln2 * (Limits::digits - Limits::min_exponent), ln2 * (Limits::digits - Limits::min_exponent + 1)})
        for (T y : {std::nextafter(T(x), T(0)), T(x), std::nextafter(T(x), T(INFINITY))}) values.push_back(y);
    for (std::size_t i = 0, count = values.size(); i < count; ++i) values.push_back(-values[i]);
    return values;
}

// Also bit patterns from the whole range (of float, every 1999th), and random numbers of usual sizes.
template <class T>
std::vector<T> inputs() {
    std::vector<T> values = special_values<T>();
    std::mt19937_64 random(1);
    std::uniform_real_distribution<T> unit(-1, 1);
    for (int i = 0; i < 100000; ++i) {
        if (sizeof(T) == 8) values.push_back(from_bits<T>(Bits<T>(random())));
        for (T scale : {T(750), T(20), T(5)}) values.push_back(scale * unit(random));
        values.push_back(std::ldexp(unit(random), int(random() % 36) - 30));
    }
    if (sizeof(T) == 4)
        for (std::uint64_t bits = 0; bits >> 32 == 0; bits += 1999) values.push_back(from_bits<T>(Bits<T>(bits)));
    return values;
}

// The errors of run(isa, x, y, size) on every instruction set; v3 and v4 must give the same bits.
template <class T, class Run, class Reference>
void check_errors(const std::string& name, const std::vector<T>& x, double bound, const Run& run,
                  const Reference& reference) {
    struct Result {
        Isa isa;
        std::vector<T> y;
        double worst = 0;
        T at = 0;
    };
    std::vector<Result> results;
    for (const Isa isa : pynet::all_isas) {
        if (!pynet::supported(isa)) continue;
        results.push_back({isa, std::vector<T>(x.size())});
        run(isa, x.data(), results.back().y.data(), Index(x.size()));
    }
    std::size_t different = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const long double expected = reference(x[i]);
        for (Result& result : results) {
            const double error = ulp_error(result.y[i], expected);
            if (error > result.worst) result.worst = error, result.at = x[i];
        }
        if (results.size() == 3) different += !same(results[1].y[i], results[2].y[i]);
    }
    for (const Result& result : results) {
        const std::string what = name + (sizeof(T) == 4 ? " of float on " : " of double on ") + pynet::name(result.isa);
        check::report(result.worst <= bound,
                      what + " is wrong by " + check::text(result.worst) + " ULP at " + check::text(result.at),
                      __FILE__, __LINE__);
    }
    check::report(different == 0, name + " differs between v3 and v4", __FILE__, __LINE__);
}

template <class T>
void check_function_errors() {
    const std::vector<T> all = inputs<T>();
    std::vector<T> not_negative;
    std::copy_if(all.begin(), all.end(), std::back_inserter(not_negative), [](T x) { return !(x < 0); });
    for (const Function<T>& f : functions<T>()) {
        const auto run = [&](Isa isa, const T* x, T* y, Index size) {
            (pynet::kernels<T>(isa).math.*f.member)(x, y, size);
        };
        check_errors(f.name, f.member == &Math<T>::log1p ? not_negative : all, f.bound, run, f.reference);
    }
}

// All kinds of differences, below maxima of all sizes.
template <class T>
void check_exp_minus_errors() {
    const std::vector<T> all = inputs<T>();
    const T largest = std::numeric_limits<T>::max();
    for (T maximum :
         {T(0), T(1), T(-3.7), T(88.8), T(1e3), T(-12345.678), T(1e8), T(-3e8), T(1e12), largest, -largest}) {
        std::vector<T> x;
        for (std::size_t i = 0; i < all.size(); i += sizeof(T) == 4 ? 7 : 1) x.push_back(maximum - std::fabs(all[i]));
        const auto run = [&](Isa isa, const T* in, T* out, Index size) {
            pynet::kernels<T>(isa).math.exp_minus(in, maximum, out, size);
        };
        const auto reference = [&](T value) { return std::exp((long double)(value) - (long double)(maximum)); };
        check_errors("exp_minus " + check::text(maximum), x, 1.5, run, reference);
    }
}

// Puts each value at every place of an array, so that bodies and tails of the loops must agree with a lone evaluation.
template <class T, class Run>
void check_places(const char* name, const Run& run) {
    constexpr std::size_t size = 71;
    std::vector<T> values = special_values<T>();
    std::mt19937_64 random(2);
    for (int i = 0; i < 40; ++i) values.push_back(from_bits<T>(Bits<T>(random())));
    const auto alone = [&](T x) {
        T y;
        run(&x, &y, 1);
        return y;
    };
    const T other = T(0.5), other_alone = alone(other);
    std::size_t wrong = 0;
    for (T value : values) {
        const T value_alone = alone(value);
        wrong += value != value && value_alone == value_alone;  // NaN must not disappear
        for (std::size_t place = 0; place < size; ++place) {
            std::vector<T> x(size, other), y(size + 1, T(7));
            x[place] = value;
            run(x.data(), y.data(), Index(size));
            for (std::size_t i = 0; i < size; ++i) wrong += !same(y[i], i == place ? value_alone : other_alone);
            wrong += y[size] != 7;
            run(x.data(), x.data(), Index(place + 1));  // in place, and tails of all lengths
            wrong += !same(x[place], value_alone);
        }
    }
    check::report(wrong == 0, std::string(name) + " depends on the place in the array", __FILE__, __LINE__);
}

}  // namespace

TEST_CASE("math on float is as exact as promised") { check_function_errors<float>(); }

TEST_CASE("math on double is as exact as promised") { check_function_errors<double>(); }

TEST_CASE("exp_minus is exact at any scale") {
    check_exp_minus_errors<float>();
    check_exp_minus_errors<double>();
}

TEST_CASE("math gives the same bits at every place of an array, and keeps NaN") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const Math<T>& math = pynet::kernels<T>(isa).math;
        for (const Function<T>& f : functions<T>()) check_places<T>(f.name, math.*f.member);
        for (T maximum : {T(1), T(-1e30), T(NAN)})
            check_places<T>("exp_minus", [&](const T* x, T* y, Index size) { math.exp_minus(x, maximum, y, size); });
    });
}

TEST_CASE("math is exact where it can be") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const Math<T>& math = pynet::kernels<T>(isa).math;
        const T inf = INFINITY, tiny = std::numeric_limits<T>::denorm_min(), huge = std::numeric_limits<T>::max();
        const auto gives = [](void (*function)(const T*, T*, Index), T x, T expected) {
            T y;
            function(&x, &y, 1);
            return same(y, expected);
        };
        for (T x : {T(0), T(-0.0), tiny, -tiny}) {
            CHECK(gives(math.exp, x, 1));
            CHECK(gives(math.tanh, x, x));
            CHECK(gives(math.sigmoid, x, T(0.5)));
            CHECK(gives(math.tanh_derivative, x, 1));
            CHECK(gives(math.sigmoid_derivative, x, T(0.25)));
        }
        for (T x : {inf, huge}) {
            CHECK(gives(math.exp, x, inf));
            CHECK(gives(math.exp, -x, 0));
            CHECK(gives(math.log, -x, T(NAN)));
            CHECK(gives(math.tanh, x, 1));
            CHECK(gives(math.tanh, -x, -1));
            CHECK(gives(math.sigmoid, x, 1));
            CHECK(gives(math.sigmoid, -x, 0));
            for (T y : {x, -x}) {
                CHECK(gives(math.tanh_derivative, y, 0));
                CHECK(gives(math.sigmoid_derivative, y, 0));
            }
        }
        CHECK(gives(math.log, 0, -inf));
        CHECK(gives(math.log, T(-0.0), -inf));
        CHECK(gives(math.log, -tiny, T(NAN)));
        CHECK(gives(math.log, 1, 0));
        CHECK(gives(math.log, inf, inf));
        CHECK(gives(math.log1p, 0, 0));
        CHECK(gives(math.log1p, tiny, tiny));
        CHECK(gives(math.log1p, inf, inf));
    });
}

TEST_CASE("exp_minus is 1 at the maximum, and knows infinities") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const T inf = INFINITY, nan = NAN, huge = std::numeric_limits<T>::max();
        const auto gives = [=](T x, T maximum, T expected) {
            T y;
            pynet::kernels<T>(isa).math.exp_minus(&x, maximum, &y, 1);
            return same(y, expected);
        };
        for (T x : {T(0), T(-0.0), T(1e-40), T(1), T(-1e8), T(3.3e30), huge, -huge}) {
            CHECK(gives(x, x, 1));
            CHECK(gives(-inf, x, 0));
            CHECK(gives(nan, x, nan));
            CHECK(gives(x, nan, nan));
        }
        CHECK(gives(-huge, huge, 0));
        CHECK(gives(inf, inf, nan));
        CHECK(gives(-inf, -inf, nan));
    });
}

TEST_CASE("tanh is odd and within 1, sigmoid is within 0 and 1") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const Math<T>& math = pynet::kernels<T>(isa).math;
        const std::vector<T> x = inputs<T>();
        std::vector<T> minus_x(x.size()), y(x.size()), y_of_minus_x(x.size()), probability(x.size());
        std::transform(x.begin(), x.end(), minus_x.begin(), [](T value) { return -value; });
        math.tanh(x.data(), y.data(), Index(x.size()));
        math.tanh(minus_x.data(), y_of_minus_x.data(), Index(x.size()));
        math.sigmoid(x.data(), probability.data(), Index(x.size()));
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            wrong += !same(y_of_minus_x[i], -y[i]);
            wrong += std::fabs(y[i]) > 1 || probability[i] < 0 || probability[i] > 1;
            if (std::fabs(x[i]) < std::numeric_limits<T>::min()) wrong += !same(y[i], x[i]);
        }
        CHECK_EQUAL(wrong, 0u);
    });
}
