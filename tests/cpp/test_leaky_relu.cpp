// LeakyReLU: both sides of the kink, NaN, and sizes beyond a block.
#include "activation_to_test.hpp"

TEST_CASE("leaky relu multiplies what is not positive by the slope") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).leaky_relu;
        const T inf = INFINITY, nan = NAN;
        const std::vector<T> x{-2, -0.5, 0, 0.5, 2, -inf, inf, nan}, dy{1, 2, 3, 4, 5, 6, 7, 0};
        auto y = unset<T>(8), dx = unset<T>(8);
        k.forward(x.data(), y.data(), 8, T(0.25));
        CHECK_CLOSE(y, (std::vector<T>{-0.5, -0.125, 0, 0.5, 2, -inf, inf, nan}), 0);
        k.backward(x.data(), dy.data(), dx.data(), 8, T(0.25));
        CHECK_CLOSE(dx, (std::vector<T>{0.25, 0.5, 0.75, 4, 5, 1.5, 7, 0}), 0);  // at 0 the derivative is the slope
        k.forward(x.data(), y.data(), 8, T(-1));
        CHECK_CLOSE(y, (std::vector<T>{2, 0.5, 0, 0.5, 2, inf, inf, nan}), 0);  // |x|
    });
}

TEST_CASE("leaky relu selects its gradient where the output's is infinite") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const std::vector<T> x{-1, 1}, dy{INFINITY, -INFINITY};
        auto dx = unset<T>(2);
        pynet::kernels<T>(isa).leaky_relu.backward(x.data(), dy.data(), dx.data(), 2, T(0.5));
        CHECK_CLOSE(dx, dy, 0);
    });
}

TEST_CASE("leaky relu of many elements") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        check_many_elements(
            pynet::kernels<T>(isa).leaky_relu, 0, [](double x) { return x > 0 ? x : 0.125 * x; },
            [](double x) { return x > 0 ? 1 : 0.125; }, T(0.125));
    });
}
