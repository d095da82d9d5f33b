// Adam and AdamW: two steps by hand, both kinds of decay, and more than one block.
#include "kernels_to_test.hpp"

TEST_CASE("adam takes two steps as by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).adam;
        const pynet::AdamOptions options{0.5, 0.5, 0.75,
                                         1,   0,   false};  // lr, beta1, beta2, eps, weight_decay, decoupled
        std::vector<T> p{1, 2, 3}, m{0, 0, 0}, v{0, 0, 0};
        const std::vector<T> g1{3, -1, 0}, g2{-3, -1, 0};
        // m = g/2 over 1/2 is g;  v = g^2/4 over 1/4 is g^2;  p -= 1/2 g / (|g| + 1)
        k.step(p.data(), g1.data(), {m.data(), v.data()}, 3, options, {0.5, 0.25});
        CHECK_CLOSE(m, (std::vector<double>{1.5, -0.5, 0}), epsilon<T>);
        CHECK_CLOSE(v, (std::vector<double>{2.25, 0.25, 0}), epsilon<T>);
        CHECK_CLOSE(p, (std::vector<double>{0.625, 2.25, 3}), epsilon<T>);  // 1 - 3/8, 2 + 1/4
        // m = (3/4 - 3/2, -1/4 - 1/2) over 1 - 1/4 is (-1, -1);
        // v = (27/16 + 9/4, 3/16 + 1/4) over 1 - 9/16 is (9, 1);  p -= 1/2 (-1/4, -1/2)
        k.step(p.data(), g2.data(), {m.data(), v.data()}, 3, options, {0.75, 0.4375});
        CHECK_CLOSE(m, (std::vector<double>{-0.75, -0.75, 0}), epsilon<T>);
        CHECK_CLOSE(v, (std::vector<double>{3.9375, 0.4375, 0}), epsilon<T>);
        CHECK_CLOSE(p, (std::vector<double>{0.75, 2.5, 3}), epsilon<T>);
    });
}

TEST_CASE("adam decays through the gradient, AdamW the parameter itself") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).adam;
        const std::vector<T> g{2};
        for (const bool decoupled : {false, true}) {
            std::vector<T> p{2}, m{0}, v{0};
            k.step(p.data(), g.data(), {m.data(), v.data()}, 1, {0.5, 0.5, 0.75, 1, 0.5, decoupled}, {0.5, 0.25});
            // Adam: g = 2 + 1/2 2 = 3, 2 - 1/2 3/4.  AdamW: (1 - 1/2 1/2) 2 - 1/2 2/3
            CHECK_CLOSE(m, (std::vector<double>{decoupled ? 1 : 1.5}), epsilon<T>);
            CHECK_CLOSE(v, (std::vector<double>{decoupled ? 1 : 2.25}), epsilon<T>);
            CHECK_CLOSE(p, (std::vector<double>{decoupled ? 1.5 - 1. / 3 : 1.625}), epsilon<T>);
        }
    });
}

TEST_CASE("adam of many parameters") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).adam;
        for (const bool decoupled : {false, true}) {
            const pynet::AdamOptions options{0.01, 0.9, 0.999, 1e-8, 0.1, decoupled};
            const double correction1 = 1 - std::pow(0.9, 3), correction2 = 1 - std::pow(0.999, 3);
            for (const Index size : {0, 1, 3, 17, 100003}) {
                const auto p0 = numbers<T>(size, 1), g = numbers<T>(size, 2), m0 = numbers<T>(size, 3);
                auto v0 = numbers<T>(size, 4);
                for (T& value : v0) value = (value + 5) / 64;
                std::vector<double> p, m, v;
                for (Index i = 0; i < size; ++i) {
                    const double start = double(p0[i]);
                    const double kept = decoupled ? start * (1 - 0.01 * 0.1) : start;
                    const double gradient = double(g[i]) + (decoupled ? 0 : 0.1 * start);
                    m.push_back(0.9 * double(m0[i]) + 0.1 * gradient);
                    v.push_back(0.999 * double(v0[i]) + 0.001 * gradient * gradient);
                    p.push_back(kept - 0.01 * (m[i] / correction1) / (std::sqrt(v[i] / correction2) + 1e-8));
                }
                std::vector<T> got_m, got_v;
                const auto got_p = on_any_threads([&] {
                    auto parameter = p0;
                    got_m = m0;
                    got_v = v0;
                    k.step(parameter.data(), g.data(), {got_m.data(), got_v.data()}, size, options,
                           {correction1, correction2});
                    return parameter;
                });
                CHECK_CLOSE(got_p, p, 4 * epsilon<T>);
                CHECK_CLOSE(got_m, m, 4 * epsilon<T>);
                CHECK_RELATIVE(got_v, v, 4 * epsilon<T>);
            }
        }
    });
}

TEST_CASE("adam by an outer product is adam by the gradient that it is") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).adam;
        for (const bool decoupled : {false, true}) {
            const Index rows = 5, columns = 37;
            const auto factors = numbers<T>(rows, 1), x = numbers<T>(columns, 2);
            std::vector<T> gradient;
            for (const T factor : factors) {
                for (const T value : x) gradient.push_back(factor * value);
            }
            const pynet::AdamOptions options{0.1, 0.9, 0.99, 1e-8, 0.2, decoupled};
            auto p = numbers<T>(rows * columns, 3), mean = numbers<T>(rows * columns, 4);
            std::vector<T> square(rows * columns, T(0.5));
            auto q = p, mean2 = mean, square2 = square;
            k.step(p.data(), gradient.data(), {mean.data(), square.data()}, rows * columns, options, {0.3, 0.2});
            k.step_outer(q.data(), factors.data(), x.data(), {mean2.data(), square2.data()}, rows, columns, options,
                         {0.3, 0.2});
            CHECK_EQUAL(q, p);
            CHECK_EQUAL(mean2, mean);
            CHECK_EQUAL(square2, square);
        }
    });
}
