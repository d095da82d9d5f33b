// Sigmoid: values by hand, both tails, and sizes beyond a block.
#include "activation_to_test.hpp"

TEST_CASE("sigmoid by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).sigmoid;
        const T inf = INFINITY, nan = NAN, ln3 = T(1.0986122886681098), ln9 = T(2.1972245773362196);
        const std::vector<T> x{0, ln3, -ln3, ln9, 1, -2, inf, -inf, nan}, dy{1, 16, -16, 100, 1, 2, 5, 5, 5};
        auto y = unset<T>(9), dx = unset<T>(9);
        k.forward(x.data(), y.data(), 9);
        // 1 / (1 + 1/3) = 3/4,  1 / (1 + 3) = 1/4,  1 / (1 + 1/9) = 9/10
        const std::vector<double> expected{0.5, 0.75, 0.25, 0.9, 0.7310585786300049, 0.11920292202211756, 1, 0, NAN};
        CHECK_CLOSE(y, expected, 2 * epsilon<T>);
        k.backward(x.data(), dy.data(), dx.data(), 9);
        // 1/2 1/2;  3/4 1/4 16;  1/4 3/4 (-16);  9/10 1/10 100;  s (1 - s) of the rest
        const std::vector<double> gradients{0.25, 3, -3, 9, 0.19661193324148185, 2 * 0.10499358540350652, 0, 0, NAN};
        CHECK_CLOSE(dx, gradients, 4 * epsilon<T>);
    });
}

TEST_CASE("sigmoid keeps its digits in the tails") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).sigmoid;
        const std::vector<T> x{-40, 40, -1000, 1000}, ones(4, 1);
        auto y = unset<T>(4), dx = unset<T>(4);
        k.forward(x.data(), y.data(), 4);
        CHECK_RELATIVE(y, (std::vector<double>{4.248354255291589e-18, 1, 0, 1}), 2 * epsilon<T>);  // e^-40
        k.backward(x.data(), ones.data(), dx.data(), 4);
        CHECK_RELATIVE(dx, (std::vector<double>{4.248354255291589e-18, 4.248354255291589e-18, 0, 0}), 4 * epsilon<T>);
        const T far = -95;  // e^95 is infinite in float, and e^-95 subnormal, with few digits left
        k.forward(&far, y.data(), 1);
        CHECK_RELATIVE((std::vector<T>{y[0]}), (std::vector<double>{5.521082277028533e-42}), 3e-4);
    });
}

TEST_CASE("sigmoid of many elements") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        check_many_elements(
            pynet::kernels<T>(isa).sigmoid, 4 * epsilon<T>, [](double x) { return 1 / (1 + std::exp(-x)); },
            [](double x) { return 1 / (2 + std::exp(x) + std::exp(-x)); });  // s (1 - s), multiplied out
    });
}
