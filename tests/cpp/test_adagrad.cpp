// Adagrad: two steps by hand, weight decay, and many parameters.
#include "update_to_test.hpp"

using pynet::AdagradOptions;

TEST_CASE("adagrad takes two steps as by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).adagrad;
        const AdagradOptions options{0.5, 0, 0, 1};  // lr, lr_decay, weight_decay, eps
        std::vector<T> p{1, 2}, sum{5, 0};
        const std::vector<T> g1{2, 0}, g2{4, 0};
        // 5 + 4 = 9, 1 - 1/2 2/4;  9 + 16 = 25, 3/4 - 1/2 3/4 4/6
        k.step(p.data(), g1.data(), {sum.data()}, 2, options, {1});
        CHECK_EQUAL(p, (std::vector<T>{0.75, 2}));
        CHECK_EQUAL(sum, (std::vector<T>{9, 0}));
        k.step(p.data(), g2.data(), {sum.data()}, 2, options, {0.75});
        CHECK_CLOSE(p, (std::vector<double>{0.5, 2}), epsilon<T>);
        CHECK_EQUAL(sum, (std::vector<T>{25, 0}));
    });
}

TEST_CASE("adagrad of many parameters, also by an outer product") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).adagrad;
        const AdagradOptions options{0.1, 0.3, 0.1, 1e-10};
        check_many(k, options, AdagradOptions::Moment{0.5}, 1, [](double& p, double g, double* of) {
            g += 0.1 * p;
            of[0] += g * g;
            p -= 0.05 * g / (std::sqrt(of[0]) + 1e-10);
        });
        check_outer(k, options, AdagradOptions::Moment{0.5}, 1);
    });
}
