// Clipping: its four steps by hand, for NaN, infinities and numbers whose squares are too large.
#include "kernels_to_test.hpp"

TEST_CASE("clipping finds the largest, NaN wherever it stands") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).clipping;
        auto g = numbers<T>(131, 1);
        g[77] = -100;
        CHECK_EQUAL(k.largest(g.data(), 131), 100.0);
        CHECK_EQUAL(k.largest(g.data(), 0), 0.0);
        g[3] = -std::numeric_limits<T>::infinity();
        CHECK_EQUAL(k.largest(g.data(), 131), double(INFINITY));
        for (Index i = 0; i < 131; ++i) {
            auto bad = g;
            bad[i] = std::numeric_limits<T>::quiet_NaN();
            CHECK_EQUAL(std::isnan(k.largest(bad.data(), 131)), true);
        }
    });
}

TEST_CASE("clipping adds up squares in units of the largest") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).clipping;
        const T large = std::ldexp(T(1), std::numeric_limits<T>::max_exponent - 4);
        const std::vector<T> g{3 * large, -4 * large};
        CHECK_EQUAL(k.sum_of_squares(g.data(), 2, double(large)), 25.0);
    });
}

TEST_CASE("clipping scales and limits") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).clipping;
        std::vector<T> g{1, -2, 3, std::numeric_limits<T>::quiet_NaN(), -std::numeric_limits<T>::infinity(), 0, 8, -16};
        k.scale(g.data(), 8, 0.5);
        CHECK_EQUAL(std::vector<T>(&g[0], &g[3]), (std::vector<T>{0.5, -1, 1.5}));
        k.limit(g.data(), 8, 1.25);
        CHECK_EQUAL(std::isnan(g[3]), true);
        g[3] = 0;
        CHECK_EQUAL(g, (std::vector<T>{0.5, -1, 1.25, 0, -1.25, 0, 1.25, -1.25}));
    });
}
