// Plans with Parallel, Columns and Embedding: each is as another plan that computes the same without them.
#include <algorithm>

#include "networks_to_test.hpp"

namespace {

// A Linear's arrays.
template <class T>
struct Weights {
    Index in, out;
    Array<T> weight, bias;

    Weights(Index in_, Index out_, unsigned seed) : in(in_), out(out_) {
        weight.fill(in * out, in, seed);
        bias.fill(out, 1, seed + 100);
    }
    void add_to(pynet::Plan<T>& plan) { plan.add_linear(weight.parameter(), bias.parameter(), in, out); }
    Values state() const {
        Values all(weight.value.begin(), weight.value.end());
        all.insert(all.end(), bias.value.begin(), bias.value.end());
        return all;
    }
};

template <class T>
void learn_squares(pynet::Plan<T>& plan) {
    plan.close();
    plan.optimizer.options = sgd;
    plan.set_criterion(std::make_unique<pynet::LossCriterion<T>>(pynet::loss_named<T>("mse"), pynet::LossOptions{},
                                                                 pynet::Over::batch));
}

template <class T>
struct Run {
    std::vector<double> losses;
    Values output;
};

template <class T>
Run<T> train(pynet::Plan<T>& plan, const std::vector<T>& x, Index rows) {
    const std::vector<T> y = numbers<T>(rows * plan.out(), 7), same = x;
    Run<T> run;
    for (int step = 0; step < 3; ++step) run.losses.push_back(plan.step(x.data(), {y.data(), nullptr}, rows, {}));
    auto output = unset<T>(rows * plan.out());
    plan.predict(x.data(), rows, output.data());
    run.output.assign(output.begin(), output.end());
    CHECK_EQUAL(x == same, true);
    return run;
}

template <class T>
void are_alike(const Values& got, const Values& expected, int line) {
    check::close(got, expected, sizeof(T) == 4 ? 1e-4 : 1e-12, 1, "alike", __FILE__, line);
}

template <class T>
void same_runs(const Run<T>& got, const Run<T>& expected, int line) {
    are_alike<T>(got.losses, expected.losses, line);
    are_alike<T>(got.output, expected.output, line);
}

template <class T>
std::vector<T> small_numbers(Index size) {
    std::vector<T> x = numbers<T>(size, 3);
    for (T& v : x) v /= 8;
    return x;
}

template <class F>
void of_both_types(const F& test) {
    for (const Index rows : {1, 2, 33, 65, 130, 400}) {
        test(float(), rows);
        test(double(), rows);
    }
}

// The rows of one Linear, from `first` on.
template <class T>
Weights<T> part_of(const Weights<T>& whole, Index first, Index count) {
    Weights<T> part(whole.in, count, 1);
    std::copy_n(whole.weight.value.begin() + first * whole.in, count * whole.in, part.weight.value.begin());
    std::copy_n(whole.bias.value.begin() + first, count, part.bias.value.begin());
    return part;
}

}  // namespace

TEST_CASE("plan with branches beside each other is as one Linear of all their weights") {
    of_both_types([](auto zero, Index rows) {
        using T = decltype(zero);
        Weights<T> before(20, 30, 1), whole(30, 75, 2), after(75, 3, 3);
        Weights<T> before_too = before, after_too = after;
        std::vector<Weights<T>> parts{part_of(whole, 0, 40), part_of(whole, 40, 1), part_of(whole, 41, 34)};
        pynet::Plan<T> one, other;
        before.add_to(one);
        one.add_relu();
        whole.add_to(one);
        one.add_relu();
        after.add_to(one);
        before_too.add_to(other);
        other.add_relu();
        other.begin_parallel(30);
        for (Weights<T>& part : parts) {
            if (&part != &parts.front()) other.next_branch();
            part.add_to(other);
            other.add_relu();
        }
        other.end_parallel(false, 75);
        after_too.add_to(other);
        learn_squares(one);
        learn_squares(other);
        const auto x = small_numbers<T>(rows * 20);
        same_runs(train(other, x, rows), train(one, x, rows), __LINE__);
        are_alike<T>(before_too.state(), before.state(), __LINE__);
        are_alike<T>(parts[1].state(), part_of(whole, 40, 1).state(), __LINE__);
    });
}

TEST_CASE("plan that adds a branch to nothing is as a residual, first and inside another") {
    for (const bool first : {true, false}) {
        of_both_types([=](auto zero, Index rows) {
            using T = decltype(zero);
            const auto run = [=](bool parallel) {
                Weights<T> before(20, 20, 1), inside(20, 20, 2), after(20, 3, 3);
                pynet::Plan<T> plan;
                if (!first) before.add_to(plan);
                for (int depth = 0; depth < 2; ++depth) parallel ? plan.begin_parallel(20) : plan.begin_residual();
                plan.add_activation(pynet::kernels<T>().tanh);
                inside.add_to(plan);
                for (int depth = 0; depth < 2; ++depth) {
                    if (parallel) plan.next_branch();
                    parallel ? plan.end_parallel(true, 20) : plan.end_residual();
                }
                after.add_to(plan);
                learn_squares(plan);
                return train(plan, small_numbers<T>(rows * 20), rows);
            };
            same_runs(run(true), run(false), __LINE__);
        });
    }
}

TEST_CASE("plan with an embedding is as a Linear of ones and zeros, and refuses what is no index") {
    of_both_types([](auto zero, Index rows) {
        using T = decltype(zero);
        constexpr Index codes = 50, dim = 70;
        Weights<T> first(codes, dim, 1), after(dim, 3, 2), after_too = after;
        Array<T> vectors = first.weight;
        for (Index c = 0; c < codes; ++c) {
            for (Index k = 0; k < dim; ++k) vectors.value[c * dim + k] = first.weight.value[k * codes + c];
        }
        // The codes stand in the second of three columns.
        std::vector<T> x(rows * 3, T(-5)), ones(rows * codes);
        for (Index n = 0; n < rows; ++n) {
            const Index code = (n * n + 3) % codes;
            x[n * 3 + 1] = T(code);
            ones[n * codes + code] = 1;
        }
        pynet::Plan<T> one, other;
        one.add_linear(first.weight.parameter(), {}, codes, dim);
        one.add_relu();
        after.add_to(one);
        other.add_columns({1}, 3);
        other.add_embedding(vectors.parameter(), 1, dim, -1);
        other.add_relu();
        after_too.add_to(other);
        learn_squares(one);
        learn_squares(other);
        same_runs(train(other, x, rows), train(one, ones, rows), __LINE__);
        are_alike<T>(after_too.state(), after.state(), __LINE__);
        CHECK_EQUAL(other.has_refused(), false);

        const auto learned = vectors.value;
        auto y = unset<T>(rows * 3);
        for (const T wrong : {T(-1), T(codes), T(0.5), T(NAN), T(INFINITY), T(-1e30)}) {
            auto bad = x;
            bad[(rows - 1) * 3 + 1] = wrong;
            CHECK_EQUAL(std::isnan(other.step(bad.data(), {x.data(), nullptr}, rows, {})), true);
            CHECK_EQUAL(vectors.value == learned, true);
            other.predict(bad.data(), rows, y.data());
            CHECK_EQUAL(other.has_refused(), true);
            other.predict(x.data(), rows, y.data());
            CHECK_EQUAL(other.has_refused(), false);
        }
    });
}
