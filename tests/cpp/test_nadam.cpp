// NAdam: a step by hand, many parameters, and the momenta of its steps.
#include "plan/optimizer.hpp"
#include "update_to_test.hpp"

using pynet::NadamOptions;

TEST_CASE("nadam takes a step as by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        // lr, beta1, beta2, eps, weight_decay, momentum_decay;  now, ahead, correction2, product
        const NadamOptions options{0.5, 0.5, 0.75, 2, 0.5, 0};
        std::vector<T> p{2}, mean{0}, square{0};
        const std::vector<T> g{1};
        // g = 2, m = 2/2, v = 4/4;  p = 2 - 1/2 (1/2 2 + 2 1) / (sqrt(1 / (1/4)) + 2)
        pynet::kernels<T>(isa).nadam.step(p.data(), g.data(), {mean.data(), square.data()}, 1, options,
                                          {0.5, 2, 0.25, 0});
        CHECK_CLOSE(p, std::vector<double>{1.625}, epsilon<T>);
        CHECK_EQUAL(mean[0], T(1));
        CHECK_EQUAL(square[0], T(1));
    });
}

TEST_CASE("nadam of many parameters, also by an outer product") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).nadam;
        const NadamOptions options{0.1, 0.75, 0.5, 0.25, 0.1, 0};
        const NadamOptions::Moment moment{0.5, 0.25, 0.75, 0};
        check_many(k, options, moment, 2, [](double& p, double g, double* of) {
            g += 0.1 * p;
            of[0] = 0.75 * of[0] + 0.25 * g;
            of[1] = 0.5 * of[1] + 0.5 * g * g;
            p -= 0.1 * (0.5 * g + 0.25 * of[0]) / (std::sqrt(of[1] / 0.75) + 0.25);
        });
        check_outer(k, options, moment, 2);
    });
}

TEST_CASE("nadam's momenta are those of the formula, and their product is handed on") {
    const NadamOptions options{0.1, 0.9, 0.999, 1e-8, 0, 0.25};
    std::int64_t steps = 0;
    double product = 1, expected = 1;
    const auto mu = [](int t) { return 0.9 * (1 - 0.5 * std::pow(0.96, 0.25 * t)); };
    for (int t = 1; t <= 50; ++t) {
        const pynet::Turn<NadamOptions> turn(options, {&steps, &product}, {});
        expected *= mu(t);
        CHECK_RELATIVE((std::vector<double>{turn.moment.now, turn.moment.ahead, turn.moment.correction2}),
                       (std::vector<double>{(1 - mu(t)) / (1 - expected), mu(t + 1) / (1 - expected * mu(t + 1)),
                                            1 - std::pow(0.999, t)}),
                       1e-12);
        turn.count({&steps, &product});
        CHECK_EQUAL(steps, std::int64_t(t));
        CHECK_RELATIVE(std::vector<double>{product}, std::vector<double>{expected}, 1e-14);
    }
}
