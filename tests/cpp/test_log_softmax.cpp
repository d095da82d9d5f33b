// LogSoftMax: rows by hand, full accuracy near 0, rows of infinities and NaN, and all lengths of rows.
#include "rows_to_test.hpp"

namespace {

template <class T>
std::vector<T> forward(const pynet::LogSoftmax<T>& k, const std::vector<T>& x, Index batch, Index classes) {
    auto y = unset<T>(batch * classes);
    k.forward(x.data(), y.data(), batch, classes);
    return y;
}

template <class T>
std::vector<T> backward(const pynet::LogSoftmax<T>& k, const std::vector<T>& x, const std::vector<T>& dy, Index batch,
                        Index classes) {
    auto dx = unset<T>(batch * classes);
    k.backward(x.data(), dy.data(), dx.data(), batch, classes);
    return dx;
}

}  // namespace

TEST_CASE("log softmax by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).log_softmax;
        const T ln2 = T(0.6931471805599453), ln3 = T(1.0986122886681098), ln5 = T(1.6094379124341003);
        const std::vector<T> x{0, ln2, ln5, ln3, 0, 0}, dy{1, 2, -4, 5, 0, 5};
        // -ln 8, -ln 4, -ln 8/5;  -ln 5/3, -ln 5, -ln 5
        const std::vector<double> y{-2.0794415416798357, -1.3862943611198906, -0.4700036292457356,
                                    -0.5108256237659907, -1.6094379124341003, -1.6094379124341003};
        CHECK_CLOSE(forward(k, x, 2, 3), y, 2 * epsilon<T>);
        // The sums of dy are -1 and 10:  1 + 1/8, 2 + 1/4, -4 + 5/8;  5 - 6, 0 - 2, 5 - 2
        CHECK_CLOSE(backward(k, x, dy, 2, 3), (std::vector<double>{1.125, 2.25, -3.375, -1, -2, 3}), 4 * epsilon<T>);
    });
}

TEST_CASE("log softmax keeps all digits of a probability near one") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).log_softmax;
        // -log(1 + e^-20 + e^-40) = -2.0611...e-9, and 20 and 40 below it
        const std::vector<double> y{-40.00000000206116, -20.000000002061153, -2.061153624562735e-09};
        CHECK_RELATIVE(forward<T>(k, {0, 20, 40}, 1, 3), y, epsilon<T>);
        CHECK_RELATIVE(forward<T>(k, {1000000, 1000020, 1000040}, 1, 3), y, epsilon<T>);
    });
}

TEST_CASE("log softmax of infinities and of huge scores") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).log_softmax;
        for (const Index classes : {3, 20, 700, 1500}) {
            const auto x = special_scores<T>(classes);
            const double inf = INFINITY, even = -std::log(double(classes));
            std::vector<double> y(3 * classes, NAN);
            for (const double fill : {-inf, even, -inf, even}) y.insert(y.end(), classes, fill);
            y[4 * classes - 1] = 0;
            y[5 * classes] = 0;
            CHECK_CLOSE(forward(k, x, special_rows, classes), y, epsilon<T>);
            // dx = dy - softmax(x) sum dy, for dy = 1
            const double n = double(classes);
            std::vector<double> dx(3 * classes, NAN);
            for (const double fill : {1.0, 0.0, 1.0, 0.0}) dx.insert(dx.end(), classes, fill);
            dx[4 * classes - 1] = 1 - n;
            dx[5 * classes] = 1 - n;
            CHECK_CLOSE(backward(k, x, std::vector<T>(x.size(), 1), special_rows, classes), dx, 4 * epsilon<T>);
        }
    });
}

TEST_CASE("log softmax of nothing, and of one class") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).log_softmax;
        CHECK(forward<T>(k, {}, 0, 3).empty() && backward<T>(k, {}, {}, 0, 3).empty());
        CHECK(forward<T>(k, {}, 3, 0).empty() && backward<T>(k, {}, {}, 3, 0).empty());
        CHECK_EQUAL(forward<T>(k, {-7, 0, 1000}, 3, 1), (std::vector<T>{0, 0, 0}));
        CHECK_EQUAL(backward<T>(k, {-7, 0, 1000}, {1, 2, 3}, 3, 1), (std::vector<T>{0, 0, 0}));
    });
}

TEST_CASE("log softmax of rows of any length") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).log_softmax;
        for (const Index classes : class_counts) {
            const Index batch = rows_for(classes);
            const auto x = scores<T>(batch, classes), dy = numbers<T>(batch * classes, 7);
            const auto p = probabilities(x, classes);
            std::vector<Exact> logs, dx;
            for (const Exact value : p) logs.push_back(std::log(value));
            CHECK_CLOSE(on_any_threads([&] { return forward(k, x, batch, classes); }), logs, 4 * epsilon<T>);
            for (Index n = 0; n < batch; ++n) {
                Exact sum = 0;
                for (Index i = n * classes; i < (n + 1) * classes; ++i) sum += dy[i];
                for (Index i = n * classes; i < (n + 1) * classes; ++i) dx.push_back(dy[i] - p[i] * sum);
            }
            CHECK_CLOSE(on_any_threads([&] { return backward(k, x, dy, batch, classes); }), dx, 64 * epsilon<T>);
        }
    });
}
