// Tanh: values by hand, both tails, and sizes beyond a block.
#include "activation_to_test.hpp"

TEST_CASE("tanh by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).tanh;
        const T inf = INFINITY, nan = NAN, ln2 = T(0.6931471805599453), ln3 = T(1.0986122886681098);
        const std::vector<T> x{0, ln3, -ln2, inf, -inf, nan}, dy{3, 100, 25, 5, 5, 5};
        auto y = unset<T>(6), dx = unset<T>(6);
        k.forward(x.data(), y.data(), 6);
        // (9 - 1) / (9 + 1) = 4/5,  (1 - 4) / (1 + 4) = -3/5
        CHECK_CLOSE(y, (std::vector<double>{0, 0.8, -0.6, 1, -1, NAN}), 2 * epsilon<T>);
        k.backward(x.data(), dy.data(), dx.data(), 6);
        // 3 (1 - 0),  100 (1 - 16/25),  25 (1 - 9/25)
        CHECK_CLOSE(dx, (std::vector<double>{3, 36, 16, 0, 0, NAN}), 4 * epsilon<T>);
    });
}

TEST_CASE("tanh keeps its digits near zero and its gradient far from it") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).tanh;
        const std::vector<T> x{T(1e-10), T(-0.0009765625), -20, 20}, ones(4, 1);
        auto y = unset<T>(4), dx = unset<T>(4);
        k.forward(x.data(), y.data(), 4);
        // x - x^3 / 3 + 2 x^5 / 15 for x = 2^-10
        CHECK_RELATIVE(y, (std::vector<double>{double(x[0]), -0.0009765621895592603, -1, 1}), 2 * epsilon<T>);
        k.backward(x.data(), ones.data(), dx.data(), 4);
        // 1 - tanh(20)^2 = 4 e^-40 / (1 + e^-40)^2
        CHECK_RELATIVE(dx, (std::vector<double>{1, 0.9999990463262899, 1.6993417021166355e-17, 1.6993417021166355e-17}),
                       4 * epsilon<T>);
    });
}

TEST_CASE("tanh of many elements") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        check_many_elements(
            pynet::kernels<T>(isa).tanh, 4 * epsilon<T>, [](double x) { return std::tanh(x); },
            [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); });
    });
}
