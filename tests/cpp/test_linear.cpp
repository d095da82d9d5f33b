// Linear: one product by hand, all small shapes and two large ones exactly, bias and beta, empty shapes.
#include <array>

#include "kernels_to_test.hpp"

namespace {

// output, grad_input, grad_weight, grad_bias
template <class T>
using Results = std::array<std::vector<T>, 4>;

template <class T>
struct Problem {
    Index batch, in, out;
    std::vector<T> x = numbers<T>(batch * in, 1), w = numbers<T>(out * in, 2), b = numbers<T>(out, 3),
                   dy = numbers<T>(batch * out, 4);

    Results<T> computed(const pynet::Linear<T>& k) const {
        Results<T> r{unset<T>(batch * out), unset<T>(batch * in), unset<T>(out * in), unset<T>(out)};
        k.forward(x.data(), w.data(), b.data(), r[0].data(), batch, in, out);
        k.backward_input(dy.data(), w.data(), r[1].data(), batch, in, out);
        k.backward_parameters(x.data(), dy.data(), r[2].data(), r[3].data(), batch, in, out, 0);
        return r;
    }

    // Exact, as the numbers are: in any order of summation.
    Results<T> expected() const {
        Results<T> r{std::vector<T>(batch * out), std::vector<T>(batch * in), std::vector<T>(out * in),
                     std::vector<T>(out)};
        for (Index n = 0; n < batch; ++n) {
            for (Index o = 0; o < out; ++o) {
                r[0][n * out + o] = b[o];
                r[3][o] += dy[n * out + o];
                for (Index i = 0; i < in; ++i) {
                    r[0][n * out + o] += x[n * in + i] * w[o * in + i];
                    r[1][n * in + i] += dy[n * out + o] * w[o * in + i];
                    r[2][o * in + i] += dy[n * out + o] * x[n * in + i];
                }
            }
        }
        return r;
    }
};

}  // namespace

TEST_CASE("linear by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).linear;
        const std::vector<T> x{1, 2, 3, 4, 5, 6};                              // (2, 3)
        const std::vector<T> w{1, 0, -1, 2, 1, 0, 0, 3, 1, -1, 1, 2};          // (4, 3)
        const std::vector<T> b{10, 20, 30, 40}, dy{1, 2, 0, -1, 3, -2, 1, 2};  // (4) and (2, 4)
        auto y = unset<T>(8), dx = unset<T>(6), dw = unset<T>(12), db = unset<T>(4);

        k.forward(x.data(), w.data(), nullptr, y.data(), 2, 3, 4);
        // 1-3, 2+2, 6+3, -1+2+6;  4-6, 8+5, 15+6, -4+5+12
        CHECK_EQUAL(y, (std::vector<T>{-2, 4, 9, 7, -2, 13, 21, 13}));
        k.forward(x.data(), w.data(), b.data(), y.data(), 2, 3, 4);
        CHECK_EQUAL(y, (std::vector<T>{8, 24, 39, 47, 8, 33, 51, 53}));

        k.backward_input(dy.data(), w.data(), dx.data(), 2, 3, 4);
        // 1 (1 0 -1) + 2 (2 1 0) - (-1 1 2);  3 (1 0 -1) - 2 (2 1 0) + (0 3 1) + 2 (-1 1 2)
        CHECK_EQUAL(dx, (std::vector<T>{6, 1, -3, -3, 3, 2}));

        k.backward_parameters(x.data(), dy.data(), dw.data(), db.data(), 2, 3, 4, 0);
        // 1 (1 2 3) + 3 (4 5 6);  2 (1 2 3) - 2 (4 5 6);  0 (1 2 3) + 1 (4 5 6);  -1 (1 2 3) + 2 (4 5 6)
        CHECK_EQUAL(dw, (std::vector<T>{13, 17, 21, -6, -6, -6, 4, 5, 6, 7, 8, 9}));
        CHECK_EQUAL(db, (std::vector<T>{4, 0, 1, 1}));

        k.backward_parameters(x.data(), dy.data(), dw.data(), db.data(), 2, 3, 4, 1);  // once more on top
        CHECK_EQUAL(dw, (std::vector<T>{26, 34, 42, -12, -12, -12, 8, 10, 12, 14, 16, 18}));
        CHECK_EQUAL(db, (std::vector<T>{8, 0, 2, 2}));

        k.backward_parameters(x.data(), dy.data(), dw.data(), nullptr, 2, 3, 4, 0);
        CHECK_EQUAL(dw, (std::vector<T>{13, 17, 21, -6, -6, -6, 4, 5, 6, 7, 8, 9}));
        CHECK_EQUAL(db, (std::vector<T>{8, 0, 2, 2}));
    });
}

TEST_CASE("linear of all small shapes, empty ones too") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        for (const Index batch : {0, 1, 2, 3, 5, 16, 17, 33}) {
            for (const Index in : {0, 1, 2, 3, 5, 16, 17, 33}) {
                for (const Index out : {0, 1, 2, 3, 5, 16, 17, 33}) {
                    const Problem<T> problem{batch, in, out};
                    const bool equal = problem.computed(pynet::kernels<T>(isa).linear) == problem.expected();
                    CHECK_EQUAL(equal ? "" : check::text(std::vector<Index>{batch, in, out}), "");
                }
            }
        }
    });
}

TEST_CASE("linear adds nothing for an empty batch") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        std::vector<T> dw{1, 2, 3, 4, 5, 6}, db{7, 8, 9};
        pynet::kernels<T>(isa).linear.backward_parameters(nullptr, nullptr, dw.data(), db.data(), 0, 2, 3, 1);
        CHECK_EQUAL(dw, (std::vector<T>{1, 2, 3, 4, 5, 6}));
        CHECK_EQUAL(db, (std::vector<T>{7, 8, 9}));
    });
}

TEST_CASE("linear adds up the gradient of its bias in double") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const std::vector<T> dy{16777216, 1, 1};  // 2^24 + 1 would stay 2^24 in float
        auto db = unset<T>(1);
        pynet::kernels<T>(isa).linear.backward_parameters(nullptr, dy.data(), nullptr, db.data(), 3, 0, 1, 0);
        CHECK_EQUAL(db, (std::vector<T>{16777218}));
    });
}

TEST_CASE("linear of large shapes is exact, and the same on any number of threads") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).linear;
        // Many rows, whose blocks split the batch; and few, whose blocks split the features.
        for (Problem<T> problem : {Problem<T>{300, 257, 129}, Problem<T>{90, 300, 257}, Problem<T>{1200, 300, 40}}) {
            CHECK(on_any_threads([&] { return problem.computed(k); }) == problem.expected());
            for (auto* values : {&problem.x, &problem.w, &problem.b, &problem.dy}) {
                for (T& value : *values) value /= 3;  // so that rounding depends on the order of summation
            }
            on_any_threads([&] { return problem.computed(k); });
        }
    });
}

TEST_CASE("linear does not lose digits in long sums") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).linear;
        for (const Index in : {1000, 10000}) {
            const Index batch = 20, out = 17;
            const std::vector<T> x(batch * in, T(1)), w(out * in, T(0.1));
            auto y = unset<T>(batch * out);
            k.forward(x.data(), w.data(), nullptr, y.data(), batch, in, out);
            CHECK_RELATIVE(y, std::vector<Exact>(batch * out, Exact(T(0.1)) * in), 300 * epsilon<T>);
        }
    });
}
