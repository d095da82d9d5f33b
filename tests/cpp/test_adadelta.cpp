// Adadelta: a step by hand, and many parameters.
#include "update_to_test.hpp"

using pynet::AdadeltaOptions;

TEST_CASE("adadelta takes a step as by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const AdadeltaOptions options{0.5, 0.75, 3, 0.5};  // lr, rho, eps, weight_decay
        std::vector<T> p{2}, square{0}, delta{1};
        const std::vector<T> g{1};
        // g = 1 + 1/2 2 = 2, v = 4/4, d = 2 sqrt(1 + 3) / sqrt(1 + 3), u = 3/4 + 4/4, p = 2 - 1/2 2
        pynet::kernels<T>(isa).adadelta.step(p.data(), g.data(), {square.data(), delta.data()}, 1, options, {});
        CHECK_EQUAL(p[0], T(1));
        CHECK_EQUAL(square[0], T(1));
        CHECK_EQUAL(delta[0], T(1.75));
    });
}

TEST_CASE("adadelta of many parameters, also by an outer product") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).adadelta;
        const AdadeltaOptions options{0.5, 0.75, 0.25, 0.1};
        check_many(k, options, AdadeltaOptions::Moment{}, 2, [](double& p, double g, double* of) {
            g += 0.1 * p;
            of[0] = 0.75 * of[0] + 0.25 * g * g;
            const double d = std::sqrt(of[1] + 0.25) / std::sqrt(of[0] + 0.25) * g;
            of[1] = 0.75 * of[1] + 0.25 * d * d;
            p -= 0.5 * d;
        });
        check_outer(k, options, AdadeltaOptions::Moment{}, 2);
    });
}
