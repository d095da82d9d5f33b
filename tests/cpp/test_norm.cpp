// Norms: groups by hand, absent parameters, groups of channels, large offsets, NaN, all sizes against formulas in more
// digits, and nothing outside the arrays.
#include "kernels_to_test.hpp"

namespace {

constexpr pynet::NormOptions centred{0.5, true}, plain{0.5, false};

Index numbers_of(pynet::NormSizes s) { return s.rows * s.groups * s.size; }
Index weights_of(pynet::NormSizes s) { return s.groups * s.size / s.positions; }

template <class T>
struct Gradients {
    std::vector<T> input, weight, bias;
    bool operator==(const Gradients& o) const { return input == o.input && weight == o.weight && bias == o.bias; }
};

template <class T>
const T* given(const std::vector<T>& array) {
    return array.empty() ? nullptr : array.data();
}

template <class T>
std::vector<T> forward(const pynet::Norm<T>& k, const std::vector<T>& x, const std::vector<T>& w,
                       const std::vector<T>& b, pynet::NormSizes sizes, pynet::NormOptions options) {
    auto y = unset<T>(numbers_of(sizes));
    k.forward(x.data(), given(w), given(b), y.data(), sizes, options);
    return y;
}

// All gradients; those of the parameters in two calls, as parts of a plan compute them.
template <class T>
Gradients<T> backward(const pynet::Norm<T>& k, const std::vector<T>& x, const std::vector<T>& dy,
                      const std::vector<T>& w, pynet::NormSizes sizes, pynet::NormOptions options) {
    const Index weights = weights_of(sizes), middle = weights / 3;
    Gradients<T> g{unset<T>(numbers_of(sizes)), unset<T>(weights), unset<T>(weights)};
    auto statistics = unset<double>(2 * sizes.rows * sizes.groups);
    k.backward(x.data(), dy.data(), given(w), g.input.data(), statistics.data(), sizes, options);
    for (const auto& [first, last] : {std::pair{Index(0), middle}, std::pair{middle, weights}}) {
        k.backward_parameters(x.data(), dy.data(), statistics.data(), g.weight.data(), g.bias.data(), first, last,
                              sizes, T(0));
    }
    return g;
}

// The same by the formulas, one group after another.
struct Reference {
    std::vector<Exact> output, input, weight, bias;

    template <class T>
    Reference(const std::vector<T>& x, const std::vector<T>& dy, const std::vector<T>& w, const std::vector<T>& b,
              pynet::NormSizes s, pynet::NormOptions options)
        : weight(weights_of(s)), bias(weights_of(s)) {
        for (Index group = 0; group < s.rows * s.groups; ++group) {
            const Index first = group * s.size, first_of_row = group % s.groups * s.size;
            const auto at = [&](Index i) { return (first_of_row + i) / s.positions; };
            const auto mean_of = [&](const auto& f) {
                Exact sum = 0;
                for (Index i = 0; i < s.size; ++i) sum += f(i);
                return sum / s.size;
            };
            const Exact mean = options.centred ? mean_of([&](Index i) { return Exact(x[first + i]); }) : 0;
            const auto centre = [&](Index i) { return x[first + i] - mean; };
            const Exact scale =
                1 / std::sqrt(mean_of([&](Index i) { return centre(i) * centre(i); }) + Exact(options.eps));
            const auto g = [&](Index i) { return dy[first + i] * (w.empty() ? Exact(1) : Exact(w[at(i)])); };
            const Exact g_mean = options.centred ? mean_of(g) : 0;
            const Exact gx_mean = mean_of([&](Index i) { return g(i) * centre(i) * scale; });
            for (Index i = 0; i < s.size; ++i) {
                const Exact normal = centre(i) * scale;
                output.push_back((w.empty() ? normal : normal * w[at(i)]) + (b.empty() ? Exact(0) : Exact(b[at(i)])));
                input.push_back((g(i) - g_mean - normal * gx_mean) * scale);
                weight[at(i)] += dy[first + i] * normal;
                bias[at(i)] += dy[first + i];
            }
        }
    }
};

}  // namespace

TEST_CASE("norm by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).norm;
        // 1, 3, 5, 7: mean 4, variance 5, with eps = 4 the divisor 3. 6, 6, 6, 6: nothing but zeros, divisor 2.
        const std::vector<T> x{1, 3, 5, 7, 6, 6, 6, 6}, dy{3, 0, 0, 3, 1, 2, 3, 4}, w{3, 6, 9, 12}, b{10, 20, 30, 40};
        const std::vector<T> none;
        CHECK_CLOSE(forward(k, x, w, b, {2, 1, 4, 1}, {4, true}), (std::vector<double>{7, 18, 33, 52, 10, 20, 30, 40}),
                    epsilon<T>);
        CHECK_CLOSE(forward(k, x, none, none, {2, 1, 4, 1}, {4, true}),
                    (std::vector<double>{-1, -1. / 3, 1. / 3, 1, 0, 0, 0, 0}), epsilon<T>);
        // Two groups of two channels, two positions each, of one row: weights 3, 3, 6, 6, and 9, 9, 12, 12.
        CHECK_CLOSE(forward(k, x, w, b, {1, 2, 4, 2}, {4, true}), (std::vector<double>{7, 9, 22, 26, 30, 30, 40, 40}),
                    epsilon<T>);
        // Without the mean: (1 + 9 + 25 + 49) / 4 = 21, with eps = 4 the divisor 5.
        CHECK_CLOSE(forward<T>(k, {1, 3, 5, 7}, none, none, {1, 1, 4, 1}, {4, false}),
                    (std::vector<double>{0.2, 0.6, 1, 1.4}), epsilon<T>);
        // Weighted all the same, g = dy: mean 1.5, mean of g x 0. And 1, 2, 3, 4 less 2.5, over 2.
        const auto g = backward(k, x, dy, none, {2, 1, 4, 1}, {4, true});
        CHECK_CLOSE(g.input, (std::vector<double>{0.5, -0.5, -0.5, 0.5, -0.75, -0.25, 0.25, 0.75}), epsilon<T>);
        CHECK_CLOSE(g.weight, (std::vector<double>{-3, 0, 0, 3}), epsilon<T>);
        CHECK_CLOSE(g.bias, (std::vector<double>{4, 2, 3, 7}), epsilon<T>);
    });
}

TEST_CASE("norm's gradients are added to what is there") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).norm;
        const std::vector<T> x{1, 3}, dy{1, 2};
        const std::vector<double> statistics{2, 0.5};
        std::vector<T> weight{10, 20}, bias{30, 40};
        k.backward_parameters(x.data(), dy.data(), statistics.data(), weight.data(), bias.data(), 0, 2, {1, 1, 2, 1},
                              T(1));
        CHECK_EQUAL(weight, (std::vector<T>{9.5, 21}));
        CHECK_EQUAL(bias, (std::vector<T>{31, 42}));
        // Only one of them is wanted, and only its second number.
        k.backward_parameters(x.data(), dy.data(), statistics.data(), weight.data(), nullptr, 1, 2, {1, 1, 2, 1}, T(0));
        CHECK_EQUAL(weight, (std::vector<T>{9.5, 1}));
    });
}

TEST_CASE("norm of nothing, and of one number") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).norm;
        const std::vector<T> none;
        CHECK(forward(k, none, none, none, {0, 1, 3, 1}, centred).empty());
        CHECK_EQUAL(backward(k, none, none, none, {0, 1, 3, 1}, centred).weight, (std::vector<T>(3, 0)));
        CHECK_EQUAL(forward<T>(k, {7, -2}, none, none, {2, 1, 1, 1}, centred), (std::vector<T>{0, 0}));
        CHECK_EQUAL(backward<T>(k, {7, -2}, {1, 1}, none, {2, 1, 1, 1}, centred).input, (std::vector<T>{0, 0}));
        // Channels without positions.
        std::vector<T> weight{1, 2}, bias{3, 4};
        k.backward_parameters(none.data(), none.data(), nullptr, weight.data(), bias.data(), 0, 2, {5, 2, 0, 0}, T(0));
        CHECK_EQUAL(weight, (std::vector<T>{0, 0}));
        CHECK_EQUAL(bias, (std::vector<T>{0, 0}));
    });
}

TEST_CASE("norm with a NaN spoils its group alone") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).norm;
        for (const Index size : {3, 16, 37}) {
            auto x = numbers<T>(4 * size, 1);
            const auto good = forward<T>(k, x, {}, {}, {2, 2, size, 1}, centred);
            for (const T wrong : {T(NAN), T(INFINITY)}) {
                x[size + 1] = wrong;
                auto want = good;
                for (Index i = size; i < 2 * size; ++i) want[i] = NAN;
                CHECK_CLOSE(forward<T>(k, x, {}, {}, {2, 2, size, 1}, centred), want, 0);
            }
        }
    });
}

TEST_CASE("norm of any size") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).norm;
        struct Shape {
            Index rows, groups, channels, positions;
        };
        // Up to more weights than a strip has, with groups across its end, and enough rows for several blocks.
        for (const Shape s : {Shape{3, 1, 1, 1},
                              {5, 1, 7, 1},
                              {2, 1, 64, 1},
                              {3, 1, 130, 1},
                              {900, 1, 100, 1},
                              {4, 3, 5, 1},
                              {70, 7, 30, 1},
                              {2, 2, 3, 5},
                              {3, 4, 40, 3},
                              {30, 2, 3, 700}}) {
            const pynet::NormSizes sizes{s.rows, s.groups, s.channels * s.positions, s.positions};
            const Index size = numbers_of(sizes), weights = weights_of(sizes);
            for (const auto options : {centred, plain}) {
                for (const bool affine : {true, false}) {
                    const auto x = numbers<T>(size, 1), dy = numbers<T>(size, 2);
                    const auto w = affine ? numbers<T>(weights, 3) : std::vector<T>{};
                    const auto b = affine && options.centred ? numbers<T>(weights, 4) : std::vector<T>{};
                    const Reference want(x, dy, w, b, sizes, options);
                    const double sums = of_sums * double(size);
                    CHECK_CLOSE(on_any_threads([&] { return forward(k, x, w, b, sizes, options); }), want.output,
                                4 * epsilon<T> + of_sums);
                    const auto g = on_any_threads([&] { return backward(k, x, dy, w, sizes, options); });
                    CHECK_CLOSE(g.input, want.input, 16 * epsilon<T> + of_sums);
                    CHECK_CLOSE(g.weight, want.weight, 4 * epsilon<T> + sums);
                    CHECK_CLOSE(g.bias, want.bias, 4 * epsilon<T> + sums);
                }
            }
        }
    });
}

TEST_CASE("norm keeps its digits far from 0") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).norm;
        auto x = numbers<T>(64, 1);
        const auto near = forward<T>(k, x, {}, {}, {1, 1, 64, 1}, centred);
        for (T& number : x) number += T(65536);  // exact in both types: multiples of 1/32
        CHECK_CLOSE(forward<T>(k, x, {}, {}, {1, 1, 64, 1}, centred), near, 4 * epsilon<T>);
    });
}
