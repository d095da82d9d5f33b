// SGD: two steps of every variant by hand, and more than one block.
#include "kernels_to_test.hpp"

TEST_CASE("sgd takes two steps of every variant as by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        using Values = std::vector<T>;
        struct Row {
            pynet::SgdOptions options;  // lr, momentum, dampening, weight_decay, nesterov
            Values first, velocity1, second, velocity2;
        };
        // p = (1, -2), the gradients are (1/2, 4) and then (-1, 2), lr = 1/2. Every number below is exact.
        const Row rows[] = {
            // 1 - 1/4, -2 - 2;  3/4 + 1/2, -4 - 1
            {{0.5, 0, 0, 0, false}, {0.75, -4}, {}, {1.25, -5}, {}},
            // g = (1/2 + 1/2, 4 - 1) = (1, 3);  g = (-1 + 1/4, 2 - 7/4) = (-3/4, 1/4)
            {{0.5, 0, 0, 0.5, false}, {0.5, -3.5}, {}, {0.875, -3.625}, {}},
            // v = g;  v = (1/4 - 1, 2 + 2)
            {{0.5, 0.5, 0, 0, false}, {0.75, -4}, {0.5, 4}, {1.125, -6}, {-0.75, 4}},
            // v = g: the first step is not dampened;  v = (1/4 - 3/4, 2 + 3/2)
            {{0.5, 0.5, 0.25, 0, false}, {0.75, -4}, {0.5, 4}, {1, -5.75}, {-0.5, 3.5}},
            // g + v/2 = (3/4, 6);  v = (-3/4, 4), g + v/2 = (-11/8, 4)
            {{0.5, 0.5, 0, 0, true}, {0.625, -5}, {0.5, 4}, {1.3125, -7}, {-0.75, 4}},
            // g = v = (1, 3);  g = (-3/4, 1/4), v = (1/2 - 3/4, 3/2 + 1/4)
            {{0.5, 0.5, 0, 0.5, false}, {0.5, -3.5}, {1, 3}, {0.625, -4.375}, {-0.25, 1.75}},
            // g + v/2 = (3/2, 9/2);  g = (-1 + 1/8, 2 - 17/8), v = (1/2 - 7/8, 3/2 - 1/8), g + v/2 = (-17/16, 9/16)
            {{0.5, 0.5, 0, 0.5, true}, {0.25, -4.25}, {1, 3}, {0.78125, -4.53125}, {-0.375, 1.375}},
        };
        for (const Row& row : rows) {
            Values p{1, -2}, v(row.velocity1.size(), 0);
            const Values g1{0.5, 4}, g2{-1, 2};
            T* velocity = v.empty() ? nullptr : v.data();
            pynet::kernels<T>(isa).sgd.step(p.data(), g1.data(), {velocity}, 2, row.options, {true});
            CHECK_EQUAL(p, row.first);
            CHECK_EQUAL(v, row.velocity1);
            pynet::kernels<T>(isa).sgd.step(p.data(), g2.data(), {velocity}, 2, row.options, {false});
            CHECK_EQUAL(p, row.second);
            CHECK_EQUAL(v, row.velocity2);
        }
    });
}

TEST_CASE("sgd does not look at the velocity before the first step") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        std::vector<T> p{1, -2}, v = unset<T>(2);
        const std::vector<T> g{0.5, 4};
        pynet::kernels<T>(isa).sgd.step(p.data(), g.data(), {v.data()}, 2, {0.5, 0.5, 0, 0, false}, {true});
        CHECK_CLOSE(v, g, 0);
        CHECK_CLOSE(p, (std::vector<T>{0.75, -4}), 0);
    });
}

TEST_CASE("sgd of many parameters") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).sgd;
        for (const bool momentum : {false, true}) {
            for (const Index size : {0, 1, 3, 17, 100003}) {
                const auto p0 = numbers<T>(size, 1), g = numbers<T>(size, 2), v0 = numbers<T>(size, 3);
                std::vector<double> p, v;
                for (Index i = 0; i < size; ++i) {
                    const double decayed = double(g[i]) + 0.125 * double(p0[i]);
                    v.push_back(momentum ? 0.75 * double(v0[i]) + 0.5 * decayed : double(v0[i]));
                    p.push_back(double(p0[i]) - 0.25 * (momentum ? decayed + 0.75 * v[i] : decayed));
                }
                std::vector<T> got_v;
                const auto got_p = on_any_threads([&] {
                    auto parameter = p0;
                    got_v = v0;
                    k.step(parameter.data(), g.data(), {momentum ? got_v.data() : nullptr}, size,
                           {0.25, 0.75, 0.5, 0.125, true}, {false});
                    return parameter;
                });
                CHECK_CLOSE(got_p, p, 2 * epsilon<T>);
                CHECK_CLOSE(got_v, v, 2 * epsilon<T>);
            }
        }
    });
}

TEST_CASE("sgd takes denormal velocities for zero, and leaves the thread's mode as it was") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const T tiny = std::numeric_limits<T>::min() / 4;
        std::vector<T> p{1}, v{tiny};
        const std::vector<T> g{0};
        pynet::kernels<T>(isa).sgd.step(p.data(), g.data(), {v.data()}, 1, {0.1, 0.9, 0, 0, false}, {false});
        CHECK_EQUAL(v[0], T(0));
        volatile T one = 1;
        CHECK(T(tiny * one) > 0);
    });
}

TEST_CASE("sgd by an outer product is sgd by the gradient that it is") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).sgd;
        const pynet::SgdOptions plain{0.1, 0.9, 0, 0, false}, all{0.1, 0.9, 0.2, 0.3, true},
            without{0.1, 0, 0, 0.3, false};
        for (const Index columns : {1, 8, 37}) {
            for (const auto& [options, first] :
                 {std::pair{plain, false}, {plain, true}, {all, false}, {without, true}}) {
                const Index rows = 5;
                const auto factors = numbers<T>(rows, 1), x = numbers<T>(columns, 2);
                std::vector<T> gradient;
                for (const T factor : factors) {
                    for (const T value : x) gradient.push_back(factor * value);
                }
                auto p = numbers<T>(rows * columns, 3), v = numbers<T>(rows * columns, 4);
                auto q = p, w = v;
                const bool kept = options.momentum != 0;
                k.step(p.data(), gradient.data(), {kept ? v.data() : nullptr}, rows * columns, options, {first});
                k.step_outer(q.data(), factors.data(), x.data(), {kept ? w.data() : nullptr}, rows, columns, options,
                             {first});
                CHECK_EQUAL(q, p);
                CHECK_EQUAL(w, v);
            }
        }
    });
}
