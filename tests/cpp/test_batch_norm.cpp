// BatchNorm: three channels by hand in every layout, absent parameters, running statistics, and many channels.
#include "kernels_to_test.hpp"

namespace {

// One row per channel, (channels, batch * positions), laid out as (batch, channels, positions).
template <class T>
std::vector<T> arranged(const std::vector<T>& rows, Index channels, Index positions) {
    const Index samples = Index(rows.size()) / channels;
    std::vector<T> x(rows.size());
    for (Index c = 0; c < channels; ++c) {
        for (Index i = 0; i < samples; ++i) {
            x[(i / positions * channels + c) * positions + i % positions] = rows[c * samples + i];
        }
    }
    return x;
}

// Four values per channel: means 4, 6, 10, variances 5, 0, 12, and with eps = 4 the divisors 3, 2, 4.
// Normalised: (-1, -1/3, 1/3, 1), zeros, (-3/2, 1/2, 1/2, 1/2).
template <class T>
struct Example {
    const std::vector<T> x{1, 3, 5, 7, 6, 6, 6, 6, 4, 12, 12, 12}, dy{1, 2, 0, 5, 3, 1, -2, 2, 4, 0, 2, -2};
    const std::vector<T> weight{3, 5, 2}, bias{10, 20, 30};
    const std::vector<double> mean{4, 6, 10}, variance{5, 0, 12};
    const double eps = 4;
};

// Calls test(positions, batch) for every layout of four values per channel.
template <class Test>
void each_layout(const Test& test) {
    for (const Index positions : {1, 2, 4}) test(positions, 4 / positions);
}

}  // namespace

TEST_CASE("batch norm forward by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).batch_norm;
        const Example<T> e;
        each_layout([&](Index positions, Index batch) {
            const auto x = arranged(e.x, 3, positions);
            auto mean = unset<double>(3), variance = unset<double>(3);
            k.statistics(x.data(), mean.data(), variance.data(), {batch, 3, positions, 3 * positions});
            CHECK_CLOSE(mean, e.mean, 0);
            CHECK_CLOSE(variance, e.variance, 0);

            const auto forward = [&](const T* weight, const T* bias) {
                auto y = unset<T>(12);
                k.forward(x.data(), mean.data(), variance.data(), weight, bias, y.data(),
                          {batch, 3, positions, 3 * positions}, e.eps);
                return y;
            };
            const std::vector<double> both{7, 9, 11, 13, 20, 20, 20, 20, 27, 31, 31, 31};
            CHECK_CLOSE(forward(e.weight.data(), e.bias.data()), arranged(both, 3, positions), epsilon<T>);
            const std::vector<double> weighted{-3, -1, 1, 3, 0, 0, 0, 0, -3, 1, 1, 1};
            CHECK_CLOSE(forward(e.weight.data(), nullptr), arranged(weighted, 3, positions), epsilon<T>);
            const std::vector<double> plain{-1, -1. / 3, 1. / 3, 1, 0, 0, 0, 0, -1.5, 0.5, 0.5, 0.5};
            CHECK_CLOSE(forward(nullptr, nullptr), arranged(plain, 3, positions), epsilon<T>);
        });
    });
}

TEST_CASE("batch norm backward by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).batch_norm;
        const Example<T> e;
        // 1 + 2 + 0 + 5, 3 + 1 - 2 + 2, 4 + 0 + 2 - 2;  -1 - 2/3 + 0 + 5, 0, -6 + 0 + 1 - 1
        const std::vector<double> db{8, 4, 4}, dw{10. / 3, 0, -6};
        each_layout([&](Index positions, Index batch) {
            const auto x = arranged(e.x, 3, positions), dy = arranged(e.dy, 3, positions);
            auto grad_weight = unset<T>(3), grad_bias = unset<T>(3);
            const auto backward = [&](bool weighted, bool from_batch, T beta, bool parameters) {
                auto dx = unset<T>(12);
                k.backward(x.data(), dy.data(), e.mean.data(), e.variance.data(), weighted ? e.weight.data() : nullptr,
                           dx.data(), parameters ? grad_weight.data() : nullptr,
                           parameters ? grad_bias.data() : nullptr, {batch, 3, positions, 3 * positions}, e.eps,
                           from_batch, beta);
                return dx;
            };
            // weight/s is 1, 5/2, 1/2. Channel 0: dy - 8/4 - x 10/3/4. Channel 1: dy - 4/4. Channel 2: dy - 4/4 + x
            // 6/4.
            const std::vector<double> batch_weighted{-1. / 6, 5. / 18, -41. / 18, 13. / 6, 5,     0,
                                                     -7.5,    2.5,     0.375,     -0.125,  0.875, -1.125};
            CHECK_CLOSE(backward(true, true, 0, true), arranged(batch_weighted, 3, positions), 2 * epsilon<T>);
            CHECK_CLOSE(grad_weight, dw, epsilon<T>);
            CHECK_CLOSE(grad_bias, db, epsilon<T>);
            // The same over 3, 5, 2.
            const std::vector<double> batch_plain{-1. / 18, 5. / 54, -41. / 54, 13. / 18, 1,      0,
                                                  -1.5,     0.5,     0.1875,    -0.0625,  0.4375, -0.5625};
            CHECK_CLOSE(backward(false, true, 1, true), arranged(batch_plain, 3, positions), 2 * epsilon<T>);
            CHECK_CLOSE(grad_weight, (std::vector<double>{20. / 3, 0, -12}), epsilon<T>);  // beta 1: once more on top
            CHECK_CLOSE(grad_bias, (std::vector<double>{16, 8, 8}), epsilon<T>);
            // Constant statistics: dy weight/s and dy/s.
            const std::vector<double> running{1, 2, 0, 5, 7.5, 2.5, -5, 5, 2, 0, 1, -1};
            CHECK_CLOSE(backward(true, false, 0, true), arranged(running, 3, positions), 2 * epsilon<T>);
            CHECK_CLOSE(grad_weight, dw, epsilon<T>);
            CHECK_CLOSE(grad_bias, db, epsilon<T>);
            const std::vector<double> running_plain{1. / 3, 2. / 3, 0, 5. / 3, 1.5, 0.5, -1, 1, 1, 0, 0.5, -0.5};
            CHECK_CLOSE(backward(false, false, 0, false), arranged(running_plain, 3, positions), 2 * epsilon<T>);
        });
    });
}

TEST_CASE("batch norm takes the statistics that it is given") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).batch_norm;
        // (batch, channels, positions) = (1, 2, 3);  s = sqrt(12 + 4) = 4 and sqrt(21 + 4) = 5
        const std::vector<T> x{1, 3, 7, 2, 10, 30}, dy{1, 2, 3, 1, -1, 1}, weight{2, 10};
        const std::vector<double> mean{3, 10}, variance{12, 21};
        auto y = unset<T>(6), dw = unset<T>(2), db = unset<T>(2), dx = unset<T>(6);
        k.forward(x.data(), mean.data(), variance.data(), weight.data(), nullptr, y.data(), {1, 2, 3, 6}, 4);
        // (-2, 0, 4) 2/4;  (-8, 0, 20) 10/5
        CHECK_CLOSE(y, (std::vector<double>{-1, 0, 2, -16, 0, 40}), epsilon<T>);
        k.backward(x.data(), dy.data(), mean.data(), variance.data(), weight.data(), dx.data(), dw.data(), db.data(),
                   {1, 2, 3, 6}, 4, false, 0);
        CHECK_CLOSE(dx, (std::vector<double>{0.5, 1, 1.5, 2, -2, 2}), epsilon<T>);
        CHECK_CLOSE(dw, (std::vector<double>{2.5, 2.4}), epsilon<T>);  // (-2 + 0 + 12)/4, (-8 + 0 + 20)/5
        CHECK_CLOSE(db, (std::vector<double>{6, 1}), epsilon<T>);
    });
}

TEST_CASE("batch norm takes a small variance around a large mean exactly") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const T large = sizeof(T) == 4 ? T(9000002) : T(1e12);  // in float the sum of the first two is rounded
        const std::vector<T> x{large + 1, large + 2, large - 3};
        double mean = NAN, variance = NAN;
        pynet::kernels<T>(isa).batch_norm.statistics(x.data(), &mean, &variance, {3, 1, 1, 1});
        CHECK_EQUAL(mean, double(large));
        CHECK_EQUAL(variance, 14 / 3.0);  // (1 + 4 + 9) / 3
    });
}

TEST_CASE("batch norm adds up the gradient of its bias in double") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const std::vector<T> x{0, 0, 0}, dy{16777216, 1, 1};  // 2^24 + 1 would stay 2^24 in float
        const double mean = 0, variance = 1;
        auto dx = unset<T>(3), db = unset<T>(1);
        pynet::kernels<T>(isa).batch_norm.backward(x.data(), dy.data(), &mean, &variance, nullptr, dx.data(), nullptr,
                                                   db.data(), {3, 1, 1, 1}, 0, false, 0);
        CHECK_EQUAL(db, (std::vector<T>{16777218}));
        CHECK_EQUAL(dx, dy);
    });
}

TEST_CASE("batch norm of nothing") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).batch_norm;
        const std::vector<double> mean{1, 2}, variance{1, 1};
        std::vector<T> dw{1, 2}, db{3, 4};
        k.forward(nullptr, mean.data(), variance.data(), nullptr, nullptr, nullptr, {0, 2, 5, 10}, 1e-5);
        k.backward(nullptr, nullptr, mean.data(), variance.data(), nullptr, nullptr, dw.data(), db.data(),
                   {0, 2, 5, 10}, 1e-5, false, 1);
        CHECK_EQUAL(dw, (std::vector<T>{1, 2}));
        CHECK_EQUAL(db, (std::vector<T>{3, 4}));
        k.backward(nullptr, nullptr, mean.data(), variance.data(), nullptr, nullptr, dw.data(), db.data(),
                   {0, 2, 5, 10}, 1e-5, true, 0);
        CHECK_EQUAL(dw, (std::vector<T>{0, 0}));
        CHECK_EQUAL(db, (std::vector<T>{0, 0}));
        k.statistics(nullptr, nullptr, nullptr, {3, 0, 5, 0});
        k.forward(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, {3, 0, 5, 0}, 1e-5);
        k.backward(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, {3, 0, 5, 0}, 1e-5, true, 0);
    });
}

TEST_CASE("batch norm of many channels") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).batch_norm;
        struct Shape {
            Index batch, channels, positions;
        };
        // The batches of 90 and 600 make more than one block.
        for (const auto [batch, channels, positions] :
             {Shape{5, 1, 1}, Shape{5, 1, 7}, Shape{6, 3, 1}, Shape{3, 3, 7}, Shape{5, 64, 1}, Shape{5, 64, 7},
              Shape{5, 65, 1}, Shape{2, 65, 7}, Shape{600, 130, 1}, Shape{90, 130, 7}}) {
            const Index samples = batch * positions, size = channels * samples;
            const auto x_rows = numbers<T>(size, 1), dy_rows = numbers<T>(size, 2), w = numbers<T>(channels, 3),
                       b = numbers<T>(channels, 4);
            std::vector<Exact> mean(channels), variance(channels), y(size), dx(size), dw(channels), db(channels);
            for (Index c = 0; c < channels; ++c) {
                const T *x = &x_rows[c * samples], *dy = &dy_rows[c * samples];
                for (Index i = 0; i < samples; ++i) mean[c] += Exact(x[i]) / samples;
                for (Index i = 0; i < samples; ++i) variance[c] += (x[i] - mean[c]) * (x[i] - mean[c]) / samples;
                const Exact s = std::sqrt(variance[c] + 0.01L);
                for (Index i = 0; i < samples; ++i) {
                    const Exact normal = (x[i] - mean[c]) / s;
                    y[c * samples + i] = normal * w[c] + b[c];
                    db[c] += dy[i];
                    dw[c] += dy[i] * normal;
                }
                for (Index i = 0; i < samples; ++i) {
                    const Exact normal = (x[i] - mean[c]) / s;
                    dx[c * samples + i] = w[c] / s * (dy[i] - (db[c] + normal * dw[c]) / samples);
                }
            }
            const auto x = arranged(x_rows, channels, positions), dy = arranged(dy_rows, channels, positions);
            struct Results {
                std::vector<double> mean, variance;
                std::vector<T> y, dx, dw, db;
                bool operator==(const Results& o) const {
                    return mean == o.mean && variance == o.variance && y == o.y && dx == o.dx && dw == o.dw &&
                           db == o.db;
                }
            };
            const Results got = on_any_threads(
                [&, c = channels, sizes = pynet::BatchNormSizes{batch, channels, positions, channels * positions}] {
                    Results r{unset<double>(c), unset<double>(c), unset<T>(size),
                              unset<T>(size),   unset<T>(c),      unset<T>(c)};
                    k.statistics(x.data(), r.mean.data(), r.variance.data(), sizes);
                    k.forward(x.data(), r.mean.data(), r.variance.data(), w.data(), b.data(), r.y.data(), sizes, 0.01);
                    k.backward(x.data(), dy.data(), r.mean.data(), r.variance.data(), w.data(), r.dx.data(),
                               r.dw.data(), r.db.data(), sizes, 0.01, true, 0);
                    return r;
                });
            CHECK_CLOSE(got.mean, mean, of_sums);
            CHECK_CLOSE(got.variance, variance, of_sums);
            CHECK_CLOSE(got.y, arranged(y, channels, positions), epsilon<T> + of_sums);
            CHECK_CLOSE(got.dx, arranged(dx, channels, positions), epsilon<T> + of_sums);
            CHECK_CLOSE(got.dw, dw, epsilon<T> + of_sums);
            CHECK_CLOSE(got.db, db, epsilon<T> + of_sums);
        }
    });
}

TEST_CASE("batch norm of some columns of wider rows") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).batch_norm;
        const Index batch = 5, channels = 3, stride = 7;
        const auto wide = numbers<T>(batch * stride, 1), grads = numbers<T>(batch * stride, 2);
        const auto columns = [&](const std::vector<T>& rows) {
            std::vector<T> own;
            for (Index n = 0; n < batch; ++n) own.insert(own.end(), &rows[n * stride], &rows[n * stride] + channels);
            return own;
        };
        struct Results {
            std::vector<double> mean, variance;
            std::vector<T> y, dx, dw, db;
        };
        const auto run = [&](const std::vector<T>& x, const std::vector<T>& dy, pynet::BatchNormSizes sizes) {
            Results r{unset<double>(channels), unset<double>(channels), unset<T>(x.size()),
                      unset<T>(x.size()),      unset<T>(channels),      unset<T>(channels)};
            k.statistics(x.data(), r.mean.data(), r.variance.data(), sizes);
            k.forward(x.data(), r.mean.data(), r.variance.data(), nullptr, nullptr, r.y.data(), sizes, 0.01);
            k.backward(x.data(), dy.data(), r.mean.data(), r.variance.data(), nullptr, r.dx.data(), r.dw.data(),
                       r.db.data(), sizes, 0.01, true, 0);
            return r;
        };
        const auto got = run(wide, grads, {batch, channels, 1, stride});
        for (Index i = 0; i < batch * stride; ++i) CHECK_EQUAL(std::isnan(got.y[i]), i % stride >= channels);
        const auto expected = run(columns(wide), columns(grads), {batch, channels, 1, channels});
        CHECK_EQUAL(got.mean, expected.mean);
        CHECK_EQUAL(got.variance, expected.variance);
        CHECK_EQUAL(columns(got.y), expected.y);
        CHECK_EQUAL(columns(got.dx), expected.dx);
        CHECK_EQUAL(got.dw, expected.dw);
        CHECK_EQUAL(got.db, expected.db);
    });
}
