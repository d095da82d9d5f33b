// CrossEntropy: rows and labels by hand, both clips of both directions, and more than one block.
#include "kernels_to_test.hpp"

namespace {

using Labels = std::vector<std::int64_t>;

// loss and gradient of a single probability p with target t
template <class T>
std::vector<double> of_one(const pynet::CrossEntropy<T>& k, T p, T t) {
    T dx = NAN;
    k.backward(&p, &t, nullptr, &dx, 1, 1, 1);
    return {k.forward(&p, &t, nullptr, 1, 1), double(dx)};
}

}  // namespace

TEST_CASE("cross entropy by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy;
        const std::vector<T> p{0.5, 0.25, 0.25, 0.125, 0.5, 0.375};
        auto dx = unset<T>(6);

        const std::vector<T> t{1, 2, 0, 0, 0.5, 4};
        // ln 2 + 2 ln 4 + 1/2 ln 2 + 4 ln 8/3
        CHECK_CLOSE((std::vector<double>{k.forward(p.data(), t.data(), nullptr, 2, 3)}),
                    (std::vector<double>{7.735626505126604}), epsilon<T>);
        k.backward(p.data(), t.data(), nullptr, dx.data(), 2, 3, 0.5);
        // -1/(1/2), -2/(1/4), 0;  0, -(1/2)/(1/2), -4/(3/8);  halves of them
        CHECK_CLOSE(dx, (std::vector<double>{-1, -4, 0, 0, -0.5, -16. / 3}), epsilon<T>);

        const Labels labels{2, 0};
        dx = unset<T>(6);
        // ln 4 + ln 8
        CHECK_CLOSE((std::vector<double>{k.forward(p.data(), nullptr, labels.data(), 2, 3)}),
                    (std::vector<double>{3.4657359027997265}), epsilon<T>);
        k.backward(p.data(), nullptr, labels.data(), dx.data(), 2, 3, 0.5);
        CHECK_CLOSE(dx, (std::vector<double>{0, 0, -2, -4, 0, 0}), 0);
    });
}

TEST_CASE("cross entropy through a softmax by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy;
        const std::vector<T> p{0.5, 0.25, 0.25, 0, 0.5, 0.5}, t{1, 2, 0, 4, 0.5, 0};
        auto dx = unset<T>(6);
        k.backward_through_softmax(p.data(), t.data(), nullptr, dx.data(), 2, 3, 0.5);
        // 3 p - t;  what is clipped counts nothing: p / 2 - (0, 1/2, 0);  halves of them
        CHECK_CLOSE(dx, (std::vector<double>{0.25, -0.625, 0.375, 0, -0.125, 0.125}), epsilon<T>);

        const Labels labels{2, 0};
        dx = unset<T>(6);
        k.backward_through_softmax(p.data(), nullptr, labels.data(), dx.data(), 2, 3, 0.5);
        // p - (0, 0, 1);  the label of probability 0 counts nothing
        CHECK_CLOSE(dx, (std::vector<double>{0.25, 0.125, -0.375, 0, 0, 0}), epsilon<T>);
    });
}

TEST_CASE("cross entropy through a softmax is what the two are one after another") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& all = pynet::kernels<T>(isa);
        const Index rows = 700, classes = 37;
        const auto scores = numbers<T>(rows * classes, 1), values = numbers<T>(rows * classes, 2);
        Labels labels(rows);
        for (Index n = 0; n < rows; ++n) labels[n] = n % classes;
        auto p = unset<T>(rows * classes), gradient = p, expected = p;
        all.softmax.forward(scores.data(), p.data(), rows, classes);
        for (const bool labelled : {false, true}) {
            const T* t = labelled ? nullptr : values.data();
            const std::int64_t* l = labelled ? labels.data() : nullptr;
            all.cross_entropy.backward(p.data(), t, l, gradient.data(), rows, classes, 0.1);
            all.softmax.backward(scores.data(), gradient.data(), expected.data(), rows, classes);
            const auto dx = on_any_threads([&] {
                auto to = unset<T>(rows * classes);
                all.cross_entropy.backward_through_softmax(p.data(), t, l, to.data(), rows, classes, 0.1);
                return to;
            });
            CHECK_CLOSE(dx, std::vector<double>(expected.begin(), expected.end()), 40 * epsilon<T>);
        }
    });
}

TEST_CASE("cross entropy clips at 1e-9 forward and at 1e-15 backward") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy;
        const double most = 20.72326583694641;  // -ln 1e-9
        CHECK_RELATIVE(of_one<T>(k, 0, 1), (std::vector<double>{most, -1e15}), epsilon<T>);
        CHECK_RELATIVE(of_one<T>(k, -1, 3), (std::vector<double>{3 * most, -3e15}), epsilon<T>);
        CHECK_RELATIVE(of_one<T>(k, T(1e-12), 1), (std::vector<double>{most, -1e12}), epsilon<T>);
        CHECK_CLOSE(of_one<T>(k, NAN, 1), (std::vector<double>{NAN, NAN}), 0);
        const bool wide = sizeof(T) == 8;  // 1 - 1e-9 is 1 in float
        for (const T p : {T(1), T(2)}) {
            const auto got = of_one<T>(k, p, 1);
            CHECK_RELATIVE((std::vector<double>{got[0]}), (std::vector<double>{wide ? 1e-9 : 0}),
                           1e-6);  // -ln(1 - 1e-9)
            CHECK_RELATIVE((std::vector<double>{got[1]}), (std::vector<double>{wide ? -1.000000000000001 : -1}), 2e-16);
        }
        const std::vector<T> p{0, 2};
        const Labels labels{0, 0};
        auto dx = unset<T>(2);
        CHECK_CLOSE((std::vector<double>{k.forward(p.data(), nullptr, labels.data(), 2, 1)}),
                    (std::vector<double>{most + (wide ? 1e-9 : 0)}), epsilon<T>);
        k.backward(p.data(), nullptr, labels.data(), dx.data(), 2, 1, 1);
        CHECK_RELATIVE(dx, (std::vector<double>{-1e15, wide ? -1.000000000000001 : -1}), epsilon<T>);
    });
}

TEST_CASE("cross entropy of nothing") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy;
        const Labels none{7};
        CHECK_EQUAL(k.forward(nullptr, nullptr, nullptr, 0, 3), 0.0);
        CHECK_EQUAL(k.forward(nullptr, nullptr, none.data(), 0, 3), 0.0);
        k.backward(nullptr, nullptr, nullptr, nullptr, 0, 3, 1);
        k.backward(nullptr, nullptr, none.data(), nullptr, 0, 3, 1);
    });
}

TEST_CASE("cross entropy of many rows") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).cross_entropy;
        const Index batch = 30001, classes = 3;
        std::vector<T> p = numbers<T>(batch * classes, 1), t = numbers<T>(batch * classes, 2);
        for (T& value : p) value = (value + 5) / 16;  // in [1/16, 9/16)
        for (T& value : t) value = (value + 4) / 8;
        Labels labels;
        for (Index n = 0; n < batch; ++n) labels.push_back(n * n % classes);
        Exact soft = 0, hard = 0;
        std::vector<Exact> soft_dx, hard_dx;
        for (Index n = 0; n < batch; ++n) {
            for (Index i = n * classes; i < (n + 1) * classes; ++i) {
                const Exact hot = i - n * classes == labels[n], log_p = std::log(Exact(p[i]));
                soft -= t[i] * log_p;
                hard -= hot * log_p;
                soft_dx.push_back(-t[i] / Exact(p[i]) * 0.125L);
                hard_dx.push_back(-hot / p[i] * 0.125L);
            }
        }
        const auto loss = [&](const std::int64_t* of) {
            return on_any_threads(
                [&] { return std::vector<double>{k.forward(p.data(), t.data(), of, batch, classes)}; });
        };
        CHECK_CLOSE(loss(nullptr), (std::vector<Exact>{soft}), epsilon<T> + of_sums);
        CHECK_CLOSE(loss(labels.data()), (std::vector<Exact>{hard}), epsilon<T> + of_sums);
        const auto gradient = [&](const std::int64_t* of) {
            return on_any_threads([&] {
                auto dx = unset<T>(batch * classes);
                k.backward(p.data(), t.data(), of, dx.data(), batch, classes, 0.125);
                return dx;
            });
        };
        CHECK_RELATIVE(gradient(nullptr), soft_dx, epsilon<T>);
        CHECK_RELATIVE(gradient(labels.data()), hard_dx, epsilon<T>);
    });
}
