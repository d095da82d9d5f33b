// The losses of numbers: each against its formula, on sizes of less than a vector and of more than a block, and what
// is special about some.
#include <algorithm>

#include "kernels_to_test.hpp"
#include "plan/losses.hpp"

namespace {

using Formula = Exact (*)(Exact x, Exact t);

// An element-wise loss, and the inputs that it is of: x + shift, scaled.
struct Row {
    const char* name;
    double number;
    bool of_logs, full;
    double scale, shift, target_scale, target_shift;  // numbers() in [-4, 4) become what it takes
    Formula value, gradient;
};

Exact sigmoid(Exact x) { return 1 / (1 + std::exp(-x)); }
Exact sign(Exact x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
Exact log_factorial(Exact t) {
    return t > 1 ? t * std::log(t) - t + std::log(2 * std::acos(Exact(-1)) * t) / 2 : Exact(0);
}

const Row rows[] = {
    {"mse", 0, false, false, 1, 0, 1, 0, [](Exact x, Exact t) { return (x - t) * (x - t); },
     [](Exact x, Exact t) { return 2 * (x - t); }},
    {"l1_loss", 0, false, false, 1, 0, 1, 0, [](Exact x, Exact t) { return std::abs(x - t); },
     [](Exact x, Exact t) { return sign(x - t); }},
    {"smooth_l1_loss", 0.5, false, false, 1, 0, 1, 0,
     [](Exact x, Exact t) { return std::abs(x - t) < 0.5 ? (x - t) * (x - t) : std::abs(x - t) - Exact(0.25); },
     [](Exact x, Exact t) { return std::abs(x - t) < 0.5 ? 2 * (x - t) : sign(x - t); }},
    {"huber_loss", 0.5, false, false, 1, 0, 1, 0,
     [](Exact x, Exact t) {
         return std::abs(x - t) < 0.5 ? (x - t) * (x - t) / 2 : (std::abs(x - t) - Exact(0.25)) / 2;
     },
     [](Exact x, Exact t) { return std::abs(x - t) < 0.5 ? x - t : sign(x - t) / 2; }},
    {"bce_loss", 0, false, false, 0.12, 0.5, 0.125, 0.5,
     [](Exact x, Exact t) { return -t * std::log(x) - (1 - t) * std::log1p(-x); },
     [](Exact x, Exact t) { return (x - t) / (x * (1 - x)); }},
    {"bce_with_logits_loss", 0, false, false, 5, 0, 0.125, 0.5,
     [](Exact x, Exact t) { return std::log1p(std::exp(-std::abs(x))) + (x > 0 ? (1 - t) * x : -t * x); },
     [](Exact x, Exact t) { return sigmoid(x) - t; }},
    {"kl_div_loss", 0, false, false, 1, -5, 0.125, 0.5,
     [](Exact x, Exact t) { return t > 0 ? t * (std::log(t) - x) : Exact(0); }, [](Exact, Exact t) { return -t; }},
    {"kl_div_loss", 0, true, false, 1, -5, 1, 5, [](Exact x, Exact t) { return std::exp(t) * (t - x); },
     [](Exact, Exact t) { return -std::exp(t); }},
    {"poisson_nll_loss", 0, true, false, 1, 0, 1, 4, [](Exact x, Exact t) { return std::exp(x) - t * x; },
     [](Exact x, Exact t) { return std::exp(x) - t; }},
    {"poisson_nll_loss", 0, true, true, 1, 0, 1, 4,
     [](Exact x, Exact t) { return std::exp(x) - t * x + log_factorial(t); },
     [](Exact x, Exact t) { return std::exp(x) - t; }},
    {"poisson_nll_loss", 0.5, false, false, 1, 4, 1, 4, [](Exact x, Exact t) { return x - t * std::log(x + 0.5L); },
     [](Exact x, Exact t) { return 1 - t / (x + 0.5L); }},
    {"poisson_nll_loss", 0.5, false, true, 1, 4, 1, 4,
     [](Exact x, Exact t) { return x - t * std::log(x + 0.5L) + log_factorial(t); },
     [](Exact x, Exact t) { return 1 - t / (x + 0.5L); }},
};

template <class T>
std::vector<T> moved(std::vector<T> x, double scale, double shift) {
    for (T& value : x) value = T(double(value) * scale + shift);
    return x;
}

template <class T>
const pynet::Loss<T>& kernel_of(pynet::Isa isa, const char* name) {
    return pynet::kernels<T>(isa).*pynet::loss_named<T>(name).kernel;
}

std::vector<double> one(double x) { return {x}; }

template <class T>
const T not_a_number = std::numeric_limits<T>::quiet_NaN();

}  // namespace

TEST_CASE("element-wise losses are their formulas") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        for (const Row& row : rows) {
            const auto& k = kernel_of<T>(isa, row.name);
            const pynet::LossOptions options{row.number, nullptr, 0, row.of_logs, row.full};
            for (const Index size : {0, 1, 3, 17, 100003}) {
                const auto x = moved(numbers<T>(size, 1), row.scale, row.shift);
                const auto t = moved(numbers<T>(size, 2), row.target_scale, row.target_shift);
                std::vector<double> losses, dx;
                double largest = 1;
                Exact sum = 0;
                for (Index i = 0; i < size; ++i) {
                    const Exact loss = row.value(x[i], t[i]);
                    losses.push_back(double(loss));
                    dx.push_back(double(row.gradient(x[i], t[i])) * 0.25);
                    sum += loss;
                    largest = std::max({largest, std::abs(losses.back()), std::abs(dx.back())});
                }
                const double tolerance = 8 * epsilon<T> * largest;
                const auto got = on_any_threads([&] {
                    auto each = unset<T>(size);
                    const double total = k.forward(x.data(), t.data(), each.data(), 1, size, options);
                    CHECK_EQUAL(k.forward(x.data(), t.data(), nullptr, size, 1, options), total);
                    CHECK_CLOSE(one(total), one(double(sum)), 8 * epsilon<T>);
                    return each;
                });
                CHECK_CLOSE(got, losses, tolerance);
                const auto got_dx = on_any_threads([&] {
                    auto grad_input = unset<T>(size);
                    k.backward(x.data(), t.data(), grad_input.data(), 1, size, options, 0.25);
                    return grad_input;
                });
                CHECK_CLOSE(got_dx, dx, tolerance);
            }
        }
    });
}

TEST_CASE("a weight of positive targets for each column") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = kernel_of<T>(isa, "bce_with_logits_loss");
        const std::vector<T> x{0, 0, 0, 0}, t{1, 1, 0, 0.5};
        const std::vector<double> weights{2, 3};
        auto losses = unset<T>(4), dx = unset<T>(4);
        const double log_2 = std::log(2.0);
        // -w t log p - (1 - t) log(1 - p) with p = 1/2
        const double sum = k.forward(x.data(), t.data(), losses.data(), 2, 2, {0, weights.data(), 2, false, false});
        CHECK_CLOSE(one(sum), one(log_2 * (2 + 3 + 1 + 2)), 4 * epsilon<T>);
        CHECK_CLOSE(losses, (std::vector<double>{2 * log_2, 3 * log_2, log_2, 2 * log_2}), 4 * epsilon<T>);
        k.backward(x.data(), t.data(), dx.data(), 2, 2, {0, weights.data(), 2, false, false}, 1);
        CHECK_EQUAL(dx, (std::vector<T>{-1, -1.5, 0.5, -0.5}));
        k.backward(x.data(), t.data(), dx.data(), 2, 2, {0, weights.data(), 1, false, false}, 1);
        CHECK_EQUAL(dx, (std::vector<T>{-1, -1, 0.5, -0.25}));
    });
}

TEST_CASE("binary cross-entropy at its ends") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const T inf = INFINITY;
        const auto loss = [&](const char* name, T x, T t) {
            return kernel_of<T>(isa, name).forward(&x, &t, nullptr, 1, 1, {});
        };
        CHECK_EQUAL(loss("bce_loss", 0, 1), 100.0);
        CHECK_EQUAL(loss("bce_loss", 1, 0), 100.0);
        CHECK_EQUAL(loss("bce_loss", 0, 0), 0.0);
        CHECK_EQUAL(loss("bce_loss", 1, 1), 0.0);
        for (const T wrong : {T(-0.5), T(1.5), -inf, inf, not_a_number<T>}) {
            CHECK(std::isnan(loss("bce_loss", wrong, 0)));
            CHECK(std::isnan(loss("bce_loss", 0.5, wrong)));
        }
        CHECK_EQUAL(loss("bce_with_logits_loss", inf, 1), 0.0);
        CHECK_EQUAL(loss("bce_with_logits_loss", -inf, 0), 0.0);
        CHECK_EQUAL(loss("bce_with_logits_loss", inf, 0), double(inf));
        CHECK_EQUAL(loss("bce_with_logits_loss", 20000, 0), 20000.0);
        CHECK_RELATIVE(one(loss("bce_with_logits_loss", 20, 1)), one(std::log1p(std::exp(-20.0))), 2 * epsilon<T>);
        CHECK(std::isnan(loss("bce_with_logits_loss", not_a_number<T>, 1)));
        CHECK(std::isnan(loss("bce_with_logits_loss", 1, not_a_number<T>)));
    });
}

TEST_CASE("a divergence from what never happens is 0") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const T inf = INFINITY;
        const auto loss = [&](T x, T t, bool of_logs) {
            return kernel_of<T>(isa, "kl_div_loss").forward(&x, &t, nullptr, 1, 1, {0, nullptr, 0, of_logs, false});
        };
        CHECK_EQUAL(loss(-inf, 0, false), 0.0);
        CHECK_EQUAL(loss(-1, -inf, true), 0.0);
        CHECK(std::isnan(loss(not_a_number<T>, 0, false)));
        CHECK(std::isnan(loss(not_a_number<T>, -inf, true)));
    });
}

TEST_CASE("gaussian_nll_loss by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = kernel_of<T>(isa, "gaussian_nll_loss");
        const pynet::LossOptions options{0.5, nullptr, 0, false, false}, full{0.5, nullptr, 0, false, true};
        // Means 1 and 2, variances 4 and 0.01, which is below eps.
        const std::vector<T> x{1, 2, 4, T(0.01)}, t{3, 1}, negative{1, -1};
        auto losses = unset<T>(2), dx = unset<T>(4);
        const std::vector<double> expected{(std::log(4.0) + 1) / 2, (std::log(0.5) + 2) / 2};
        const double sum = expected[0] + expected[1], constant = std::log(2 * std::acos(-1.0)) / 2;
        CHECK_CLOSE(one(k.forward(x.data(), t.data(), losses.data(), 1, 4, options)), one(sum), 4 * epsilon<T>);
        CHECK_CLOSE(losses, expected, 4 * epsilon<T>);
        CHECK_CLOSE(one(k.forward(x.data(), t.data(), nullptr, 1, 4, full)), one(sum + 2 * constant), 4 * epsilon<T>);
        k.backward(x.data(), t.data(), dx.data(), 1, 4, options, 1);
        // (m - t) / v, and (1 - (m - t)^2 / v) / 2v: at v = 1/2 for the second
        CHECK_EQUAL(dx, (std::vector<T>{-0.5, 2, 0, -1}));
        CHECK(std::isnan(k.forward(negative.data(), t.data(), nullptr, 1, 2, options)));
    });
}

TEST_CASE("pinball_loss by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = kernel_of<T>(isa, "pinball_loss");
        const std::vector<T> x{1, 2, 3, 0, 4, 5}, t{2, 8};
        const std::vector<double> quantiles{0.25, 0.5, 0.75};
        const pynet::LossOptions options{0, quantiles.data(), 3, false, false};
        auto losses = unset<T>(6), dx = unset<T>(6);
        CHECK_EQUAL(k.forward(x.data(), t.data(), losses.data(), 2, 3, options), 0.25 + 0 + 0.25 + 2 + 2 + 2.25);
        CHECK_EQUAL(losses, (std::vector<T>{0.25, 0, 0.25, 2, 2, 2.25}));
        k.backward(x.data(), t.data(), dx.data(), 2, 3, options, 2);
        CHECK_EQUAL(dx, (std::vector<T>{-0.5, 0, 0.5, -0.5, -1, -1.5}));
    });
}

TEST_CASE("losses of rows are the same in blocks") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const std::vector<double> quantiles{0.25, 0.5, 0.75, 0.875};
        for (const char* name : {"gaussian_nll_loss", "pinball_loss", "bce_with_logits_loss"}) {
            const auto& k = kernel_of<T>(isa, name);
            const pynet::LossOptions options{0.5, quantiles.data(), 4, false, false};
            const auto x = moved(numbers<T>(4 * 30001, 1), 0.25, 2), t = numbers<T>(4 * 30001, 2);
            const auto dx = on_any_threads([&] {
                auto grad_input = unset<T>(4 * 30001);
                k.backward(x.data(), t.data(), grad_input.data(), 30001, 4, options, 0.5);
                grad_input.push_back(T(k.forward(x.data(), t.data(), nullptr, 30001, 4, options)));
                return grad_input;
            });
            const Index targets = pynet::loss_named<T>(name).target_columns(4);
            for (const Index n : {0, 17, 30000}) {
                auto one = unset<T>(4);
                k.backward(x.data() + 4 * n, t.data() + targets * n, one.data(), 1, 4, options, 0.5);
                CHECK_EQUAL(std::vector<T>(dx.begin() + 4 * n, dx.begin() + 4 * n + 4), one);
            }
        }
    });
}

TEST_CASE("nll_loss by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).nll_loss;
        const std::vector<T> x{-1, -2, -3, -4, -0.5, -INFINITY}, weight{1, 2, 0.5}, t{0, 0.5, 0.5, 1, 0, 0};
        const std::vector<std::int64_t> labels{1, 7};  // 7 is ignored
        const pynet::CrossEntropyLossOptions<T> options{weight.data(), 7, 0};
        auto losses = unset<T>(2), dx = unset<T>(6);
        CHECK_EQUAL(k.forward(x.data(), nullptr, labels.data(), losses.data(), 2, 3, options), 4.0);
        CHECK_EQUAL(losses, (std::vector<T>{4, 0}));
        k.backward(x.data(), nullptr, labels.data(), dx.data(), 2, 3, options, 0.5);
        CHECK_EQUAL(dx, (std::vector<T>{0, -1, 0, 0, 0, 0}));
        CHECK_EQUAL(k.total_weight(labels.data(), 2, options), 2.0);
        CHECK_EQUAL(k.forward_backward(x.data(), t.data(), nullptr, dx.data(), 2, 3, options, 1), 2 + 0.75 + 4);
        CHECK_EQUAL(dx, (std::vector<T>{0, -1, -0.25, -1, 0, 0}));
    });
}
