// What the tests of optimizers share: any number of parameters, on any threads, and gradients that are outer products.
#pragma once

#include "kernels_to_test.hpp"

// Moves many parameters, and compares with `reference(p, g, states)`, which moves one of them in double.
template <class T, class Options, class Reference>
void check_many(const pynet::Update<T, Options>& update, Options options, typename Options::Moment moment, int states,
                const Reference& reference) {
    for (const Index size : {0, 1, 3, 17, 100003}) {
        const auto p0 = numbers<T>(size, 1), g = numbers<T>(size, 2);
        std::vector<std::vector<T>> before(3), after;
        for (int s = 0; s < states; ++s) {
            before[s] = numbers<T>(size, 3 + s);
            // Means of squares must be positive, and larger than the squares of means.
            for (T& value : before[s]) value = (value + 5) / (s == 0 ? 1 : 64);
        }
        std::vector<std::vector<double>> expected(4, std::vector<double>(size));
        for (Index i = 0; i < size; ++i) {
            double of[3] = {}, p = double(p0[i]);
            for (int s = 0; s < states; ++s) of[s] = double(before[s][i]);
            reference(p, double(g[i]), of);
            expected[3][i] = p;
            for (int s = 0; s < states; ++s) expected[s][i] = of[s];
        }
        const auto p = on_any_threads([&] {
            auto parameter = p0;
            after = before;
            pynet::States<T> all;
            for (int s = 0; s < states; ++s) all.of[s] = after[s].data();
            update.step(parameter.data(), g.data(), all, size, options, moment);
            return parameter;
        });
        CHECK_CLOSE(p, expected[3], 16 * epsilon<T>);
        for (int s = 0; s < states; ++s) CHECK_CLOSE(after[s], expected[s], 8 * epsilon<T>);
    }
}

// Moves by an outer product, and by the gradient that it is: to the same last bit.
template <class T, class Options>
void check_outer(const pynet::Update<T, Options>& update, Options options, typename Options::Moment moment,
                 int states) {
    for (const Index columns : {1, 8, 37}) {
        const Index rows = 5;
        const auto factors = numbers<T>(rows, 1), x = numbers<T>(columns, 2);
        std::vector<T> gradient;
        for (const T factor : factors) {
            for (const T value : x) gradient.push_back(factor * value);
        }
        std::vector<std::vector<T>> a(4, std::vector<T>(rows * columns, T(0.5)));
        a[3] = numbers<T>(rows * columns, 3);
        auto b = a;
        pynet::States<T> in_a, in_b;
        for (int s = 0; s < states; ++s) in_a.of[s] = a[s].data(), in_b.of[s] = b[s].data();
        update.step(a[3].data(), gradient.data(), in_a, rows * columns, options, moment);
        update.step_outer(b[3].data(), factors.data(), x.data(), in_b, rows, columns, options, moment);
        for (int i = 0; i < 4; ++i) CHECK_EQUAL(b[i], a[i]);
    }
}
