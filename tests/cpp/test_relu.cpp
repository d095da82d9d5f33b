#include "kernels_to_test.hpp"

TEST_CASE("relu keeps what is positive, and NaN") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).relu;
        const T inf = INFINITY, nan = NAN;
        const std::vector<T> x{-2, -0.5, 0, 0.5, 2, -inf, inf, nan}, dy{1, 2, 3, 4, 5, inf, 6, 7};
        std::vector<T> y(8), dx(8);
        k.forward(x.data(), y.data(), 8);
        CHECK_CLOSE(y, (std::vector<T>{0, 0, 0, 0.5, 2, 0, inf, nan}), 0);
        k.backward(x.data(), dy.data(), dx.data(), 8);
        CHECK_CLOSE(dx, (std::vector<T>{0, 0, 0, 4, 5, 0, 6, 7}), 0);
    });
}
