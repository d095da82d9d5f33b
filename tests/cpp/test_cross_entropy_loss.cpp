// CrossEntropyLoss: by hand, with every combination of its options against a naive sum, and at the ends of the scale.
#include "rows_to_test.hpp"

namespace {

using Labels = std::vector<std::int64_t>;
using Doubles = std::vector<double>;

constexpr std::int64_t nobody = -100;  // an ignore_index that no label has

template <class T>
struct Results {
    double loss;
    std::vector<T> losses, dx;
    bool operator==(const Results& o) const { return loss == o.loss && losses == o.losses && dx == o.dx; }
};

// Targets are labels unless there are rows of them.
template <class T>
Results<T> run(const pynet::CrossEntropyLoss<T>& k, const std::vector<T>& x, const std::vector<T>& target,
               const Labels& labels, Index batch, Index classes, pynet::CrossEntropyLossOptions<T> options,
               double scale = 1) {
    const std::int64_t* of_rows = target.empty() ? labels.data() : nullptr;
    Results<T> r{NAN, unset<T>(batch), unset<T>(batch * classes)};
    r.loss = k.forward(x.data(), target.data(), of_rows, r.losses.data(), batch, classes, options);
    CHECK_EQUAL(k.forward(x.data(), target.data(), of_rows, nullptr, batch, classes, options), r.loss);
    k.backward(x.data(), target.data(), of_rows, r.dx.data(), batch, classes, options, scale);
    auto dx = unset<T>(batch * classes);
    const double loss = k.forward_backward(x.data(), target.data(), of_rows, dx.data(), batch, classes, options, scale);
    CHECK_CLOSE((std::vector<double>{loss}), (std::vector<double>{r.loss}), 4 * epsilon<double>);
    CHECK_CLOSE(dx, r.dx, 4 * epsilon<T>);
    return r;
}

// The formulas, term by term; weight is null or one number per class, as in the options.
template <class T>
Results<Exact> naive(const std::vector<T>& x, const std::vector<T>& target, const Labels& labels, Index batch,
                     Index classes, const T* weight, std::int64_t ignored, double smoothing, double scale) {
    const std::vector<Exact> p = probabilities(x, classes);
    Results<Exact> r{0, {}, {}};
    for (Index n = 0; n < batch; ++n) {
        std::vector<Exact> a;
        Exact sum = 0, loss = 0;
        for (Index k = 0; k < classes; ++k) {
            const Exact t = target.empty() ? k == labels[n] : target[n * classes + k];
            a.push_back((weight ? weight[k] : 1) * ((1 - smoothing) * t + Exact(smoothing) / classes));
            if (target.empty() && labels[n] == ignored) a[k] = 0;
            sum += a[k];
            loss -= a[k] * std::log(p[n * classes + k]);
        }
        for (Index k = 0; k < classes; ++k) r.dx.push_back((p[n * classes + k] * sum - a[k]) * scale);
        r.losses.push_back(loss);
        r.loss += double(loss);
    }
    return r;
}

}  // namespace

TEST_CASE("cross entropy loss by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy_loss;
        const T ln2 = T(0.6931471805599453), ln3 = T(1.0986122886681098), ln5 = T(1.6094379124341003);
        const double ln_4 = 1.3862943611198906, ln_8 = 2.0794415416798357, ln_8_5 = 0.4700036292457356,
                     ln_5_3 = 0.5108256237659907, ln_5 = 1.6094379124341003;
        const std::vector<T> x{0, ln2, ln5, ln3, 0, 0};  // probabilities 1/8, 2/8, 5/8;  3/5, 1/5, 1/5
        const std::vector<T> weight{2, 3, 0.5};
        const double tolerance = 4 * epsilon<T>;
        const auto check = [&](const std::vector<T>& target, const Labels& labels,
                               pynet::CrossEntropyLossOptions<T> options, const Doubles& losses, const Doubles& dx) {
            const auto got = run(k, x, target, labels, 2, 3, options, 0.5);
            CHECK_CLOSE(got.losses, losses, tolerance);
            CHECK_CLOSE((Doubles{got.loss}), (Doubles{losses[0] + losses[1]}), tolerance);
            CHECK_CLOSE(got.dx, dx, tolerance);
        };
        // halves of: 1/8, 2/8 - 1, 5/8;  3/5 - 1, 1/5, 1/5
        check({}, {1, 0}, {nullptr, nobody, 0}, {ln_4, ln_5_3}, {0.0625, -0.375, 0.3125, -0.2, 0.1, 0.1});
        // three times the first row, twice the second
        check({}, {1, 0}, {weight.data(), nobody, 0}, {3 * ln_4, 2 * ln_5_3}, {0.1875, -1.125, 0.9375, -0.4, 0.2, 0.2});
        check({}, {1, 0}, {weight.data(), 0, 0}, {3 * ln_4, 0}, {0.1875, -1.125, 0.9375, 0, 0, 0});
        // a = 0.1, 0.8, 0.1;  0.8, 0.1, 0.1
        check({}, {1, 0}, {nullptr, nobody, 0.3},
              {0.1 * ln_8 + 0.8 * ln_4 + 0.1 * ln_8_5, 0.8 * ln_5_3 + 0.1 * ln_5 + 0.1 * ln_5},
              {0.0125, -0.275, 0.2625, -0.1, 0.05, 0.05});
        // a = 0.2, 2.4, 0.05, in all 2.65;  the second row is ignored
        check({}, {1, 0}, {weight.data(), 0, 0.3}, {0.2 * ln_8 + 2.4 * ln_4 + 0.05 * ln_8_5, 0},
              {0.065625, -0.86875, 0.803125, 0, 0, 0});
        // a = 2 1/2, 3 1/4, 1/2 1/4, in all 15/8;  a = 0, 3, 0
        check({0.5, 0.25, 0.25, 0, 1, 0}, {}, {weight.data(), nobody, 0},
              {ln_8 + 0.75 * ln_4 + 0.125 * ln_8_5, 3 * ln_5},
              {(15. / 64 - 1) / 2, (30. / 64 - 0.75) / 2, (75. / 64 - 0.125) / 2, 0.9, -1.2, 0.3});
    });
}

TEST_CASE("cross entropy loss divides by the weights that count") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy_loss;
        const std::vector<T> weight{2, 3, 0.5};
        const Labels labels{1, 0, 2, 1, 1};
        CHECK_EQUAL(k.total_weight(labels.data(), 5, {nullptr, nobody, 0}), 5.0);
        CHECK_EQUAL(k.total_weight(labels.data(), 5, {nullptr, 1, 0.3}), 2.0);
        CHECK_EQUAL(k.total_weight(labels.data(), 5, {weight.data(), nobody, 0}), 11.5);  // 3 + 2 + 1/2 + 3 + 3
        CHECK_EQUAL(k.total_weight(labels.data(), 5, {weight.data(), 1, 0.3}), 2.5);
        const Labels outside{-1, 2, -1};  // as an ignored label may be
        CHECK_EQUAL(k.total_weight(outside.data(), 3, {weight.data(), -1, 0}), 0.5);
        CHECK_EQUAL(k.total_weight(nullptr, 0, {weight.data(), nobody, 0}), 0.0);
    });
}

TEST_CASE("cross entropy loss with every combination of options") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy_loss;
        for (const Index classes : {1, 2, 10, 17, 300, 1500}) {
            const Index batch = 70;  // more than a group of short rows
            const auto x = scores<T>(batch, classes);
            auto weight = numbers<T>(classes, 1), target = numbers<T>(batch * classes, 2);
            for (T& value : weight) value += 5;
            for (T& value : target) value = (value + 4) / T(4 * classes);
            Labels labels;
            for (Index n = 0; n < batch; ++n) labels.push_back(n * n % classes);
            for (const T* weights : {static_cast<const T*>(nullptr), static_cast<const T*>(weight.data())}) {
                for (const std::int64_t ignored : {nobody, std::int64_t(0)}) {
                    for (const double smoothing : {0.0, 0.25}) {
                        for (const auto& targets : {std::vector<T>{}, target}) {
                            const auto got =
                                run(k, x, targets, labels, batch, classes, {weights, ignored, smoothing}, 0.5);
                            const auto want =
                                naive(x, targets, labels, batch, classes, weights, ignored, smoothing, 0.5);
                            CHECK_CLOSE(got.losses, want.losses, epsilon<T> + of_sums);
                            CHECK_CLOSE((Doubles{got.loss}), (Doubles{want.loss}), epsilon<T> + of_sums);
                            CHECK_CLOSE(got.dx, want.dx, 16 * epsilon<T>);
                        }
                    }
                }
            }
        }
    });
}

TEST_CASE("cross entropy loss of many rows") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy_loss;
        for (const Index classes : class_counts) {
            const Index batch = rows_for(classes);
            const auto x = scores<T>(batch, classes);
            Labels labels;
            for (Index n = 0; n < batch; ++n) labels.push_back(n * n % classes);
            const auto got =
                on_any_threads([&] { return run(k, x, {}, labels, batch, classes, {nullptr, nobody, 0.25}); });
            const auto want = naive<T>(x, {}, labels, batch, classes, nullptr, nobody, 0.25, 1);
            CHECK_CLOSE(got.losses, want.losses, epsilon<T> + of_sums);
            CHECK_CLOSE((Doubles{got.loss}), (Doubles{want.loss}), epsilon<T> + of_sums);
            CHECK_CLOSE(got.dx, want.dx, 16 * epsilon<T>);
        }
    });
}

TEST_CASE("cross entropy loss does not ask for the score of a class that does not count") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy_loss;
        const T inf = INFINITY;
        const std::vector<T> x{0, -inf, 0}, weight{1, 0, 1};
        const double ln2 = 0.6931471805599453;
        const auto check = [&](const std::vector<T>& target, const Labels& labels,
                               pynet::CrossEntropyLossOptions<T> options, double loss, const Doubles& dx) {
            const auto got = run(k, x, target, labels, 1, 3, options);
            CHECK_CLOSE((Doubles{got.loss}), (Doubles{loss}), 4 * epsilon<T>);
            CHECK_CLOSE(got.losses, (Doubles{loss}), 4 * epsilon<T>);
            CHECK_CLOSE(got.dx, dx, 4 * epsilon<T>);
        };
        check({}, {0}, {nullptr, nobody, 0}, ln2, {-0.5, 0, 0.5});
        check({1, 0, 0}, {}, {nullptr, nobody, 0}, ln2, {-0.5, 0, 0.5});
        check({0.25, 0.5, 0.25}, {}, {weight.data(), nobody, 0}, ln2 / 2, {0, 0, 0});
        check({}, {0}, {weight.data(), nobody, 0.75}, ln2 * 0.75, {-0.125, 0, 0.125});  // a = 1/4 + 1/4, 0, 1/4
        check({}, {1}, {nullptr, 1, 0.75}, 0, {0, 0, 0});
        check({}, {1}, {weight.data(), nobody, 0}, 0, {0, 0, 0});
        check({}, {1}, {nullptr, nobody, 0}, INFINITY, {0.5, -1, 0.5});
    });
}

TEST_CASE("cross entropy loss is exact at any scale") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy_loss;
        // log(1 + e^-20 + e^-40), and the gradient -(e^-20 + e^-40) / (1 + e^-20 + e^-40)
        for (const std::vector<T>& x : {std::vector<T>{0, 20, 40}, std::vector<T>{1000000, 1000020, 1000040}}) {
            const auto sure = run(k, x, {}, {2}, 1, 3, {nullptr, nobody, 0});
            CHECK_RELATIVE(sure.losses, (Doubles{2.061153624562735e-09}), epsilon<T>);
            CHECK_RELATIVE((Doubles{sure.loss}), (Doubles{2.061153624562735e-09}), epsilon<T>);
            const auto row = run(k, x, {0, 0, 1}, {}, 1, 3, {nullptr, nobody, 0});
            CHECK_RELATIVE(row.losses, (Doubles{2.061153624562735e-09}), epsilon<T>);
            CHECK_RELATIVE((std::vector<T>{sure.dx[2]}), (Doubles{-2.061153622438558e-09}), 2e-7);
        }
        const std::vector<T> most{T(3e38), T(-3e38)};
        const double loss = double(most[0]) - double(most[1]);  // 6e38, infinite as a float
        const auto right = run(k, most, {}, {0}, 1, 2, {nullptr, nobody, 0});
        CHECK_CLOSE(right.losses, (Doubles{0}), 0);
        CHECK_CLOSE(right.dx, (Doubles{0, 0}), 0);
        const auto wrong = run(k, most, {}, {1}, 1, 2, {nullptr, nobody, 0});
        CHECK_CLOSE((Doubles{wrong.loss}), (Doubles{loss}), 0);
        CHECK_CLOSE(wrong.losses, (Doubles{double(T(loss))}), 0);
        CHECK_CLOSE(wrong.dx, (Doubles{1, -1}), 0);
    });
}

TEST_CASE("cross entropy loss of nothing, and of an ignored row of NaN") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy_loss;
        const auto nothing = run<T>(k, {}, {}, {}, 0, 3, {nullptr, nobody, 0.25});
        CHECK_EQUAL(nothing.loss, 0.0);
        const auto ignored = run<T>(k, {NAN, 1, 2, 0, 0, 0}, {}, {7, 1}, 2, 3, {nullptr, 7, 0.25});
        CHECK_CLOSE((Doubles{ignored.losses[0], ignored.losses[1]}), (Doubles{0, 1.0986122886681098}), epsilon<T>);
    });
}
