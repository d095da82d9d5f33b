// RMSprop: two steps of every variant by hand, a deviation that rounding has made negative, and many parameters.
#include "update_to_test.hpp"

using pynet::RmspropOptions;

TEST_CASE("rmsprop takes two steps of every variant as by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).rmsprop;
        using Values = std::vector<double>;
        struct Row {
            RmspropOptions options;  // lr, alpha, eps, weight_decay, momentum, centered
            Values p, square, second, third;
        };
        const double root = std::sqrt(1.5);
        // p = 1, the gradients are 2 and then -1, lr = 1/2, alpha = 1/2, eps = 1.
        const Row rows[] = {
            // s = 2, d = 2 / (sqrt 2 + 1);  s = 1 + 1/2, d = -1 / (sqrt 1.5 + 1)
            {{0.5, 0.5, 1, 0, 0, false}, {1 - 1 / (std::sqrt(2) + 1) + 0.5 / (root + 1)}, {1.5}, {}, {}},
            // v = 2 / (sqrt 2 + 1);  v = v / 2 - 1 / (sqrt 1.5 + 1)
            {{0.5, 0.5, 1, 0, 0.5, false},
             {1 - 1.5 / (std::sqrt(2) + 1) + 0.5 / (root + 1)},
             {1.5},
             {1 / (std::sqrt(2) + 1) - 1 / (root + 1)},
             {}},
            // m = 1, d = 2 / (sqrt(2 - 1) + 1) = 1;  m = 1/2 - 1/2, d = -1 / (sqrt(1.5 - 0) + 1)
            {{0.5, 0.5, 1, 0, 0, true}, {0.5 + 0.5 / (root + 1)}, {1.5}, {0}, {}},
            // v = 1;  v = 1/2 - 1 / (sqrt 1.5 + 1)
            {{0.5, 0.5, 1, 0, 0.5, true}, {0.25 + 0.5 / (root + 1)}, {1.5}, {0.5 - 1 / (root + 1)}, {0}},
        };
        for (const Row& row : rows) {
            std::vector<T> p{1}, square{0}, second{0}, third{0};
            for (const T g : {T(2), T(-1)}) {
                k.step(p.data(), &g, {square.data(), second.data(), third.data()}, 1, row.options, {});
            }
            CHECK_CLOSE(p, row.p, 2 * epsilon<T>);
            CHECK_CLOSE(square, row.square, epsilon<T>);
            CHECK_CLOSE(second, (row.second.empty() ? Values{0} : row.second), 2 * epsilon<T>);
            CHECK_CLOSE(third, (row.third.empty() ? Values{0} : row.third), epsilon<T>);
        }
    });
}

TEST_CASE("rmsprop decays through the gradient") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        std::vector<T> p{2}, square{0};
        const std::vector<T> g{1};
        // g = 1 + 1/2 2 = 2, s = 4 / 4 = 1, p = 2 - 1/2 2 / (1 + 1)
        pynet::kernels<T>(isa).rmsprop.step(p.data(), g.data(), {square.data()}, 1, {0.5, 0.75, 1, 0.5, 0, false}, {});
        CHECK_EQUAL(p[0], T(1.5));
        CHECK_EQUAL(square[0], T(1));
    });
}

TEST_CASE("rmsprop takes a negative square of the deviation for none, and keeps NaN") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const T nan = std::numeric_limits<T>::quiet_NaN();
        std::vector<T> p{1, 1}, square{1, nan}, mean{2, 0};
        const std::vector<T> g{3, 3};
        // s - m^2 = 1 - 4, with alpha 1: d = 3 / (0 + 1)
        pynet::kernels<T>(isa).rmsprop.step(p.data(), g.data(), {square.data(), mean.data()}, 2,
                                            {0.5, 1, 1, 0, 0, true}, {});
        CHECK_EQUAL(p[0], T(-0.5));
        CHECK(std::isnan(p[1]));
    });
}

TEST_CASE("rmsprop of many parameters, also by an outer product") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).rmsprop;
        for (const double momentum : {0.0, 0.5}) {
            for (const bool centered : {false, true}) {
                const RmspropOptions options{0.01, 0.75, 0.5, 0.1, momentum, centered};
                const int states = 1 + (momentum > 0) + centered;
                check_many(k, options, RmspropOptions::Moment{}, states, [&](double& p, double g, double* of) {
                    g += 0.1 * p;
                    double* const m = centered ? of + states - 1 : nullptr;
                    of[0] = 0.75 * of[0] + 0.25 * g * g;
                    if (m) *m = 0.75 * *m + 0.25 * g;
                    double d = g / (std::sqrt(std::fmax(of[0] - (m ? *m * *m : 0), 0)) + 0.5);
                    if (momentum > 0) d = of[1] = 0.5 * of[1] + d;
                    p -= 0.01 * d;
                });
                check_outer(k, options, RmspropOptions::Moment{}, states);
            }
        }
    });
}
