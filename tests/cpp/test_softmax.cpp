// SoftMax: rows by hand, rows of infinities and NaN, and all lengths of rows against exp() over its sum.
#include "rows_to_test.hpp"

namespace {

template <class T>
std::vector<T> forward(const pynet::Softmax<T>& k, const std::vector<T>& x, Index batch, Index classes) {
    auto y = unset<T>(batch * classes);
    k.forward(x.data(), y.data(), batch, classes);
    return y;
}

template <class T>
std::vector<T> backward(const pynet::Softmax<T>& k, const std::vector<T>& x, const std::vector<T>& dy, Index batch,
                        Index classes) {
    auto dx = unset<T>(batch * classes);
    k.backward(x.data(), dy.data(), dx.data(), batch, classes);
    return dx;
}

}  // namespace

TEST_CASE("softmax by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).softmax;
        const T ln2 = T(0.6931471805599453), ln3 = T(1.0986122886681098), ln5 = T(1.6094379124341003);
        const std::vector<T> x{0, ln2, ln5, ln3, 0, 0}, dy{8, 4, -8, 1, 0, 5};
        // 1, 2, 5 of 8;  3, 1, 1 of 5
        CHECK_CLOSE(forward(k, x, 2, 3), (std::vector<double>{0.125, 0.25, 0.625, 0.6, 0.2, 0.2}), 2 * epsilon<T>);
        // <dy, y> = 1 + 1 - 5 = -3:  11/8, 7/4, 5/8 (-5);  <dy, y> = 0.6 + 1 = 1.6:  0.6 (-0.6), 0.2 (-1.6), 0.2 3.4
        CHECK_CLOSE(backward(k, x, dy, 2, 3), (std::vector<double>{1.375, 1.75, -3.125, -0.36, -0.32, 0.68}),
                    4 * epsilon<T>);
    });
}

TEST_CASE("softmax of infinities and of huge scores") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).softmax;
        for (const Index classes : {3, 20, 700, 1500}) {
            const auto x = special_scores<T>(classes);
            std::vector<T> y(3 * classes, NAN);
            for (const T fill : {T(0), 1 / T(classes), T(0), 1 / T(classes)}) y.insert(y.end(), classes, fill);
            y[4 * classes - 1] = 1;
            y[5 * classes] = 1;
            CHECK_CLOSE(forward(k, x, special_rows, classes), y, 0);
            // Where all of dy is 2, nothing depends on the scores.
            std::vector<T> dx(3 * classes, NAN), dy(special_rows * classes, 2);
            dx.insert(dx.end(), 4 * classes, 0);
            CHECK_CLOSE(backward(k, x, dy, special_rows, classes), dx, 4 * epsilon<T>);
        }
    });
}

TEST_CASE("softmax of nothing, and of one class") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).softmax;
        CHECK(forward<T>(k, {}, 0, 3).empty() && backward<T>(k, {}, {}, 0, 3).empty());
        CHECK(forward<T>(k, {}, 3, 0).empty() && backward<T>(k, {}, {}, 3, 0).empty());
        CHECK_EQUAL(forward<T>(k, {-7, 0, 1000}, 3, 1), (std::vector<T>{1, 1, 1}));
        CHECK_EQUAL(backward<T>(k, {-7, 0, 1000}, {1, 2, 3}, 3, 1), (std::vector<T>{0, 0, 0}));
    });
}

TEST_CASE("softmax of rows of any length") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).softmax;
        for (const Index classes : class_counts) {
            const Index batch = rows_for(classes);
            const auto x = scores<T>(batch, classes), dy = numbers<T>(batch * classes, 7);
            const auto p = probabilities(x, classes);
            CHECK_RELATIVE(on_any_threads([&] { return forward(k, x, batch, classes); }), p, 8 * epsilon<T>);
            std::vector<Exact> dx;
            for (Index n = 0; n < batch; ++n) {
                Exact dot = 0;
                for (Index i = n * classes; i < (n + 1) * classes; ++i) dot += p[i] * dy[i];
                for (Index i = n * classes; i < (n + 1) * classes; ++i) dx.push_back(p[i] * (dy[i] - dot));
            }
            CHECK_CLOSE(on_any_threads([&] { return backward(k, x, dy, batch, classes); }), dx, 8 * epsilon<T>);
        }
    });
}
