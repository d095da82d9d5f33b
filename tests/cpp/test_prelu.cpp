// PReLU: by hand, channels in rows and in positions, accumulated gradients, and long sums.
#include "kernels_to_test.hpp"

TEST_CASE("prelu multiplies what is not positive by its channel's weight") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).prelu;
        const T nan = NAN;
        // 2 samples of 2 channels of 2 positions, which lie 5 apart
        const pynet::BatchNormSizes sizes{2, 2, 2, 5};
        const std::vector<T> x{-1, 2, -3, 0, nan, 4, -5, 6, -7, nan}, dy{1, 2, 3, 4, nan, 5, 6, 7, 8, nan}, w{0.5, 2};
        auto y = unset<T>(10), dx = unset<T>(10);
        k.forward(x.data(), w.data(), y.data(), sizes);
        CHECK_CLOSE(y, (std::vector<T>{-0.5, 2, -6, 0, nan, 4, -2.5, 6, -14, nan}), 0);
        std::vector<T> dw = unset<T>(2);
        k.backward(x.data(), dy.data(), w.data(), dx.data(), dw.data(), sizes, 0);
        CHECK_CLOSE(dx, (std::vector<T>{0.5, 2, 6, 8, nan, 5, 3, 7, 16, nan}), 0);  // at 0 the derivative is the weight
        CHECK_CLOSE(dw, (std::vector<T>{-1 - 30, -9 - 56}), 0);
        dw = {100, 200};
        dx = dy;
        k.backward(x.data(), dx.data(), w.data(), dx.data(), dw.data(), sizes, 1);  // in place
        CHECK_CLOSE(dx, (std::vector<T>{0.5, 2, 6, 8, nan, 5, 3, 7, 16, nan}), 0);
        CHECK_CLOSE(dw, (std::vector<T>{69, 135}), 0);
    });
}

TEST_CASE("prelu of many channels, on any number of threads") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).prelu;
        for (const Index channels : {1, 17, 64, 131}) {
            const Index rows = 2001;
            const pynet::BatchNormSizes sizes{rows, channels, 1, channels};
            const auto x = numbers<T>(rows * channels, 1), dy = numbers<T>(rows * channels, 2);
            const auto w = numbers<T>(channels, 3);
            std::vector<T> y_expected, dx_expected;
            std::vector<double> dw_expected(channels, 0);
            for (Index i = 0; i < rows * channels; ++i) {
                const Index c = i % channels;
                y_expected.push_back(x[i] > 0 ? x[i] : w[c] * x[i]);
                dx_expected.push_back(x[i] > 0 ? dy[i] : w[c] * dy[i]);
                dw_expected[c] += x[i] > 0 ? 0.0 : double(x[i]) * double(dy[i]);
            }
            auto y = unset<T>(rows * channels), dx = unset<T>(rows * channels);
            k.forward(x.data(), w.data(), y.data(), sizes);
            CHECK_CLOSE(y, y_expected, 0);
            const auto dw = on_any_threads([&] {
                auto sums = unset<T>(channels);
                k.backward(x.data(), dy.data(), w.data(), dx.data(), sums.data(), sizes, 0);
                return sums;
            });
            CHECK_CLOSE(dx, dx_expected, 0);
            CHECK_RELATIVE(dw, dw_expected, epsilon<T>);
        }
    });
}

TEST_CASE("prelu's sum for one weight is that of all that is not positive") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).prelu;
        for (const Index size : {0, 1, 17, 100003}) {
            const auto x = numbers<T>(size, 1), dy = numbers<T>(size, 2);
            double expected = 0;
            for (Index i = 0; i < size; ++i) expected += x[i] > 0 ? 0.0 : double(x[i]) * double(dy[i]);
            CHECK_EQUAL(on_any_threads([&] { return k.sum(x.data(), dy.data(), size); }), expected);
        }
    });
}
