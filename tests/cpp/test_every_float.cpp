// exp, log, tanh and sigmoid of float, on every instruction set: errors in ULP, order, signs, special values. The usual
// run takes every 997th of the 2^32 inputs, a run with PYNET_THOROUGH in the environment takes them all, and says how
// large the errors are.
#include <cstdint>
#include <cstdlib>

#include "kernels_to_test.hpp"

using pynet::Isa;

namespace {

// |got - exact| in units of the last place of a float as large as `exact`, also where that is subnormal.
double ulp_error(float got, double exact) {
    if (got == float(exact) || (std::isnan(got) && std::isnan(exact))) return 0;
    if (std::isnan(got) || !std::isfinite(exact)) return INFINITY;
    const double value = std::isinf(got) ? std::copysign(0x1p128, got) : double(got);
    std::uint64_t bits;
    std::memcpy(&bits, &exact, sizeof bits);
    const int exponent = int(bits >> 52 & 0x7ff) - 1023;
    const std::uint64_t unit = std::uint64_t((exponent < -126  ? -126
                                              : exponent > 127 ? 127
                                                               : exponent) -
                                             23 + 1023)
                               << 52;
    double last_place;
    std::memcpy(&last_place, &unit, sizeof last_place);
    return std::fabs(value - exact) / last_place;
}

// How many floats further `b` is than `a`, of the same sign.
std::int64_t ulps_between(float a, float b) {
    std::int32_t from, to;
    std::memcpy(&from, &a, sizeof from);
    std::memcpy(&to, &b, sizeof to);
    return std::abs(std::int64_t(to) - std::int64_t(from));
}

struct Function {
    const char* name;
    void (*pynet::Math<float>::*member)(const float*, float*, Index);
    double (*exact)(double);
    double bound;  // in ULP
    // By how many ULP a result may fall below that of the float before. Of 2^32, a thousand do for tanh between 0.83
    // and 0.99 in size, and six thousand for sigmoid from -0.7 to -ln 2.
    int fall;
};

// What one instruction set makes of the function.
struct Sweep {
    Isa isa;
    double worst = 0;
    float at = 0, last = -INFINITY;  // the last result, for its order
    std::uint64_t falls = 0, odd = 0, other = 0;
};

float from_bits(std::uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

// Of x and -x only the bits of the sign may differ; of NaN none count.
bool is_opposite(float a, float b) {
    return (std::isnan(a) && std::isnan(b)) || (a == -b && std::signbit(a) != std::signbit(b));
}

// All inputs in their order, a piece at a time: the negative ones from the largest bits down, then the positive ones.
// From long double nothing would be gained: the double functions of libm are right to a billionth of a float's ULP.
void check_every(const Function& f) {
    constexpr Index piece = 4096;
    const bool thorough = std::getenv("PYNET_THOROUGH") != nullptr;
    const std::uint64_t step = thorough ? 1 : 997, last = 0x7fffffff;
    std::vector<Sweep> sweeps;
    for (const Isa isa : pynet::all_isas) {
        if (pynet::supported(isa)) sweeps.push_back({isa});
    }
    const bool is_tanh = f.member == &pynet::Math<float>::tanh;
    std::vector<float> x(piece), y(piece), first(piece), opposite(piece);
    std::vector<double> exact(piece);
    for (const bool negative : {true, false}) {
        for (std::uint64_t from = 0; from <= last; from += step * piece) {
            Index size = 0;
            for (std::uint64_t magnitude = from; magnitude <= last && size < piece; magnitude += step, ++size) {
                x[size] = from_bits(std::uint32_t(negative ? 0x80000000 | (last - magnitude) : magnitude));
                exact[size] = f.exact(double(x[size]));
            }
            for (Sweep& s : sweeps) {
                const auto function = pynet::kernels<float>(s.isa).math.*f.member;
                function(x.data(), y.data(), size);
                for (Index i = 0; i < size; ++i) {
                    const double error = ulp_error(y[i], exact[i]);
                    if (error > s.worst) s.worst = error, s.at = x[i];
                    s.falls += y[i] < s.last && ulps_between(y[i], s.last) > f.fall;
                    s.last = y[i] == y[i] ? y[i] : s.last;
                }
                if (is_tanh && !negative) {
                    for (Index i = 0; i < size; ++i) x[i] = -x[i];
                    function(x.data(), opposite.data(), size);
                    for (Index i = 0; i < size; ++i) s.odd += !is_opposite(y[i], opposite[i]), x[i] = -x[i];
                }
                // v3 and v4 must give the same bits.
                if (s.isa == Isa::v3) first = y;
                if (s.isa == Isa::v4) s.other += std::memcmp(first.data(), y.data(), size * sizeof(float)) != 0;
            }
        }
    }
    for (const Sweep& s : sweeps) {
        const std::string text = std::string(f.name) + " on " + pynet::name(s.isa) + " is wrong by " +
                                 check::text(s.worst) + " ULP at " + check::text(s.at);
        if (thorough) std::printf("%s\n", text.c_str());
        check::report(s.worst <= f.bound, text, __FILE__, __LINE__);
        CHECK_EQUAL(s.falls, 0u);
        CHECK_EQUAL(s.odd, 0u);
        CHECK_EQUAL(s.other, 0u);
    }
}

double exact_sigmoid(double x) {
    const double t = std::exp(-std::fabs(x));
    return (x >= 0 ? 1 : t) / (1 + t);
}

using M = pynet::Math<float>;

}  // namespace

TEST_CASE("exp of every float") {
    check_every({"exp", &M::exp, [](double x) { return std::exp(x); }, 1, 0});
}

TEST_CASE("log of every float") {
    check_every({"log", &M::log, [](double x) { return std::log(x); }, 1, 0});
}

TEST_CASE("tanh of every float") {
    check_every({"tanh", &M::tanh, [](double x) { return std::tanh(x); }, 2, 1});
}

TEST_CASE("sigmoid of every float") { check_every({"sigmoid", &M::sigmoid, exact_sigmoid, 2, 1}); }
