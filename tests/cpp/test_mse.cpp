// Squared errors: by hand, none at all, and more than one block.
#include "kernels_to_test.hpp"

TEST_CASE("mse by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).mse;
        const std::vector<T> x{1, 4, -2, 0.5, 3}, target{3, 1, -2, -0.5, 3.5};  // differences -2, 3, 0, 1, -1/2
        auto losses = unset<T>(5), dx = unset<T>(5);
        CHECK_EQUAL(k.forward(x.data(), target.data(), nullptr, 1, 5, {}), 14.25);
        CHECK_EQUAL(k.forward(x.data(), target.data(), losses.data(), 1, 5, {}), 14.25);
        CHECK_EQUAL(losses, (std::vector<T>{4, 9, 0, 1, 0.25}));
        k.backward(x.data(), target.data(), dx.data(), 1, 5, {}, 0.25);
        CHECK_EQUAL(dx, (std::vector<T>{-1, 1.5, 0, 0.5, -0.25}));
        CHECK_EQUAL(k.forward(nullptr, nullptr, nullptr, 0, 1, {}), 0.0);
        k.backward(nullptr, nullptr, nullptr, 0, 1, {}, 1);
    });
}

TEST_CASE("mse adds up in double") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const std::vector<T> x{4096, 1, 16777216}, target{0, 0, 16777215};
        // 2^24 + 1 + 1, which float cannot hold
        CHECK_EQUAL(pynet::kernels<T>(isa).mse.forward(x.data(), target.data(), nullptr, 1, 3, {}), 16777218.0);
    });
}

TEST_CASE("mse of many elements") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).mse;
        for (const Index size : {1, 3, 17, 100003}) {
            const auto x = numbers<T>(size, 1), target = numbers<T>(size, 2);
            double sum = 0;
            std::vector<T> losses, dx;
            for (Index i = 0; i < size; ++i) {  // all of it is exact, see numbers()
                const T error = x[i] - target[i];
                losses.push_back(error * error);
                dx.push_back(error * T(0.25));
                sum += error * error;
            }
            const auto got_losses = on_any_threads([&] {
                auto values = unset<T>(size);
                CHECK_EQUAL(k.forward(x.data(), target.data(), values.data(), 1, size, {}), sum);
                return values;
            });
            CHECK_CLOSE(got_losses, losses, 0);
            const auto got_dx = on_any_threads([&] {
                auto grad_input = unset<T>(size);
                k.backward(x.data(), target.data(), grad_input.data(), 1, size, {}, 0.125);
                return grad_input;
            });
            CHECK_CLOSE(got_dx, dx, 0);
        }
        auto x = numbers<T>(100003, 1), target = numbers<T>(100003, 2);
        for (T& value : x) value /= 3;  // so that rounding depends on the order of summation
        on_any_threads([&] { return k.forward(x.data(), target.data(), nullptr, 1, 100003, {}); });
    });
}
