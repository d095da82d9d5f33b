// The activations that are listed once: errors in ULP, kinks, limits, the same bits at every place. The usual run takes
// every 9973rd of the 2^32 floats, a run with PYNET_THOROUGH in the environment every 97th.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>

#include "activations_to_test.hpp"

using pynet::Isa;

namespace {

// A unit in the last place of a T as large as x, also where that is subnormal.
template <class T>
long double unit_of(long double x) {
    using Limits = std::numeric_limits<T>;
    const int smallest = Limits::min_exponent - 1;
    const int exponent = x == 0 ? smallest : std::max(std::ilogb(x), smallest);
    return std::ldexp(1.0L, exponent - (Limits::digits - 1));
}

struct Worst {
    double error = 0, at = 0;

    // An infinity that should be none, or none that should be one, is infinitely wrong.
    template <class T, class R>
    void add(T got, R exact, R scale, T x) {
        if (std::isnan(got) && std::isnan(exact)) return;
        double wrong = got == T(exact) ? 0 : double(std::fabs(got - exact) / unit_of<T>(scale));
        if (std::isnan(wrong)) wrong = INFINITY;
        if (wrong > error) error = wrong, at = double(x);
    }
    void report(const std::string& what, double bound) const {
        const std::string text = what + " is wrong by " + check::text(error) + " ULP at " + check::text(at);
        check::report(error <= bound, text, __FILE__, __LINE__);
    }
};

constexpr double of_values = 5, of_derivatives = 6;  // of which the reference in R may take a little

template <class T, class R, class Kernel, class Value, class Derivative, class... Parameters>
void check_errors(const std::string& what, const std::vector<T>& x, const Kernel& kernel, const Value& value,
                  const Derivative& derivative, Parameters... parameters) {
    const std::vector<T> ones(x.size(), 1);
    std::vector<T> y(x.size()), dx(x.size());
    kernel.forward(x.data(), y.data(), Index(x.size()), parameters...);
    kernel.backward(x.data(), ones.data(), dx.data(), Index(x.size()), parameters...);
    Worst of_y, of_dx;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const R exact = value(R(x[i]));
        const Terms<R> terms = derivative(R(x[i]));
        of_y.add(y[i], exact, exact, x[i]);
        of_dx.add(dx[i], terms.first + terms.second, std::fabs(terms.first) + std::fabs(terms.second), x[i]);
    }
    of_y.report(what, of_values);
    of_dx.report(what + "'s derivative", of_derivatives);
}

// Of usual sizes, of all sizes, and as far left as a result of e^x can be told from 0.
template <class T>
std::vector<T> inputs() {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<T> unit(-1, 1);
    std::vector<T> all{0, 1, -1, 2, -2, 3, -3, 6, T(1e-40), T(-1e-40), T(1e30), T(-1e30)};
    for (int i = 0; i < 5000; ++i) {
        for (T scale : {T(5), T(20), T(60), T(800)}) all.push_back(scale * unit(random));
        all.push_back(std::ldexp(unit(random), int(random() % 36) - 30));
    }
    return all;
}

}  // namespace

TEST_CASE("activations are as exact as promised") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        each_activation<T, long double>(
            pynet::kernels<T>(isa),
            [](const char* name, const auto& kernel, const auto& value, const auto& derivative, auto... p) {
                check_errors<T, long double>(name, inputs<T>(), kernel, value, derivative, p...);
            });
    });
}

TEST_CASE("activations of floats of the whole range are as exact as promised") {
    const std::uint64_t step = std::getenv("PYNET_THOROUGH") ? 97 : 9973;
    std::vector<float> x;
    const auto check_piece = [&](Isa isa) {
        each_activation<float, double>(
            pynet::kernels<float>(isa),
            [&](const char* name, const auto& kernel, const auto& value, const auto& derivative, auto... p) {
                check_errors<float, double>(std::string(name) + " on " + pynet::name(isa), x, kernel, value, derivative,
                                            p...);
            });
    };
    for (std::uint64_t bits = 0; bits >> 32 == 0; bits += step) {
        const std::uint32_t pattern = std::uint32_t(bits);
        float number;
        std::memcpy(&number, &pattern, sizeof number);
        if (std::isfinite(number)) x.push_back(number);
        if (x.size() < 1 << 22 && (bits + step) >> 32 == 0) continue;
        for (const Isa isa : pynet::all_isas) {
            if (pynet::supported(isa)) check_piece(isa);
        }
        x.clear();
    }
}

TEST_CASE("activations give the same bits at every place, on any number of threads, on v3 and v4") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto same = [](const std::vector<T>& a, const std::vector<T>& b) {
            return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
        };
        each_activation<T, double>(
            pynet::kernels<T>(isa), [&](const char*, const auto& kernel, const auto&, const auto&, auto... p) {
                const Index size = 100003;
                const auto x = numbers<T>(size, 1), dy = numbers<T>(size, 2);
                const auto run = [&](const auto& k, Index first, Index count) {
                    std::vector<T> both(2 * count);
                    k.forward(x.data() + first, both.data(), count, p...);
                    k.backward(x.data() + first, dy.data() + first, both.data() + count, count, p...);
                    return both;
                };
                const auto all = on_any_threads([&] { return run(kernel, 0, size); });
                for (const Index count : {1, 3, 17}) {
                    for (Index first = 0; first < 40; ++first) {
                        const auto part = run(kernel, first, count);
                        std::vector<T> expected(all.begin() + first, all.begin() + first + count);
                        expected.insert(expected.end(), all.begin() + size + first, all.begin() + size + first + count);
                        CHECK(same(part, expected));
                    }
                }
                run(kernel, 0, 0);
            });
        if (isa != Isa::v4) return;
        std::vector<std::vector<T>> of_v3, of_v4;
        for (auto [set, results] : {std::pair{Isa::v3, &of_v3}, std::pair{Isa::v4, &of_v4}}) {
            each_activation<T, double>(
                pynet::kernels<T>(set),
                [results = results](const char*, const auto& kernel, const auto&, const auto&, auto... p) {
                    const auto x = inputs<T>();
                    std::vector<T> y(x.size()), dx(x.size());
                    kernel.forward(x.data(), y.data(), Index(x.size()), p...);
                    kernel.backward(x.data(), x.data(), dx.data(), Index(x.size()), p...);
                    results->push_back(y);
                    results->push_back(dx);
                });
        }
        for (std::size_t i = 0; i < of_v3.size(); ++i) CHECK(same(of_v3[i], of_v4[i]));
    });
}

TEST_CASE("activations have PyTorch's derivatives at their kinks") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa);
        const auto derivative = [](const auto& kernel, T x, auto... p) {
            const T one = 1;
            T dx;
            kernel.backward(&x, &one, &dx, 1, p...);
            return dx;
        };
        CHECK_EQUAL(derivative(k.elu, 0, T(0.5)), T(0.5));
        CHECK_EQUAL(derivative(k.selu, 0), T(1.7580993408473768));
        CHECK_EQUAL(derivative(k.hardtanh, -1, T(-1), T(2)), T(0));
        CHECK_EQUAL(derivative(k.hardtanh, 2, T(-1), T(2)), T(0));
        CHECK_EQUAL(derivative(k.hardsigmoid, -3), T(0));
        CHECK_EQUAL(derivative(k.hardsigmoid, 3), T(0));
        CHECK_EQUAL(derivative(k.hardswish, -3), T(0));
        CHECK_EQUAL(derivative(k.hardswish, 3), T(1));
        CHECK_CLOSE((std::vector<T>{derivative(k.softplus, 10, T(2), T(20))}),  // where x is returned only above
                    (std::vector<double>{1 / (1 + std::exp(-20.0))}), epsilon<T>);
        CHECK_EQUAL(derivative(k.softplus, T(10.0625), T(2), T(20)), T(1));
    });
}

TEST_CASE("activations go to their limits, and keep NaN in every lane") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const T inf = INFINITY;
        struct Limits {
            T left, right;
        };
        const std::vector<Limits> expected{{T(-0.75), inf}, {0, inf}, {0, inf},
                                           {0, 1},          {0, inf}, {-1, 2},
                                           {-inf, 0},       {0, inf}, {T(-1.7580993408473768), inf},
                                           {0, inf},        {0, inf}, {0, inf},
                                           {-1, 1}};
        std::size_t row = 0;
        each_activation<T, double>(
            pynet::kernels<T>(isa), [&](const char* name, const auto& kernel, const auto&, const auto&, auto... p) {
                const Limits limits = expected.at(row++);
                const std::string text = name;
                const bool is_flat_left = limits.left != -inf, is_flat_right = limits.right != inf;
                for (const Index place : {0, 1, 15, 16, 33, 70}) {
                    for (const T value : {-inf, inf, T(NAN)}) {
                        std::vector<T> x(71, T(0.5)), y(71), dx(71), ones(71, 1);
                        kernel.forward(x.data(), y.data(), 71, p...);
                        const T usual = y[0];
                        x[place] = value;
                        kernel.forward(x.data(), y.data(), 71, p...);
                        kernel.backward(x.data(), ones.data(), dx.data(), 71, p...);
                        const bool is_nan = value != value;
                        const T limit = value < 0 ? limits.left : limits.right;
                        check::report(is_nan ? std::isnan(y[place]) : y[place] == limit, text + " has a wrong limit",
                                      __FILE__, __LINE__);
                        check::report(std::count(y.begin(), y.end(), usual) == 70, text + " spoils its neighbours",
                                      __FILE__, __LINE__);
                        if (is_nan) continue;
                        const bool is_flat = value < 0 ? is_flat_left : is_flat_right;
                        const bool is_right =
                            is_flat ? dx[place] == 0 : dx[place] == (text == "selu" ? T(1.0507009873554805) : T(1));
                        check::report(is_right, text + " has a wrong slope at infinity", __FILE__, __LINE__);
                    }
                }
            });
        CHECK_EQUAL(row, expected.size());
    });
}
