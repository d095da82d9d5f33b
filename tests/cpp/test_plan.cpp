// Plans: training steps and predictions against a naive reference in double, and what they must leave as it was.
#include <algorithm>

#include "reference_network.hpp"

namespace {

template <class T>
void close_to(const Values& got, const Values& expected, const char* what, int line) {
    double scale = 0.01;  // what is 0 but for rounding, as the gradient of a bias before BatchNorm, has no size
    for (const double e : expected) scale = std::max(scale, std::fabs(e));
    check::close(got, expected, sizeof(T) == 4 ? 1e-4 : 1e-10, scale, what, __FILE__, line);
}

template <class T>
struct Batch {
    std::vector<T> x, values;
    std::vector<std::int64_t> labels;
    Values target_rows;

    Batch(const Task& task, Index rows, unsigned seed)
        : x(numbers<T>(rows * task.in, seed)), target_rows(rows * task.out()) {
        for (T& v : x) v /= 4;
        const Values targets = numbers<double>(Index(target_rows.size()), seed + 50);
        for (Index n = 0; task.labels && n < rows; ++n) {
            labels.push_back(Index(targets[n] * 32 + 128) % task.out());
            target_rows[n * task.out() + labels[n]] = 1;
        }
        if (task.labels) return;
        target_rows = task.loss == Loss::of_scores ? softmax(targets, task.out()) : targets;
        for (double& t : target_rows) t = task.loss == Loss::of_probabilities ? std::fabs(t) / 8 : t;
        values.assign(target_rows.begin(), target_rows.end());
    }
    pynet::Target<T> target() const { return {labels.empty() ? values.data() : nullptr, labels.data()}; }
};

template <class T>
struct Trial {
    const Task task;
    Network<T> net;
    Network<double> reference;
    pynet::Plan<T> plan;
    unsigned steps = 0;

    explicit Trial(const Task& t) : task(t), net(t), reference(t) { describe(plan, net, t.loss); }

    double step_alone(const Batch<T>& batch, pynet::StepOptions options = {}) {
        const Index rows = Index(batch.target_rows.size()) / task.out();
        return plan.step(batch.x.data(), batch.target(), rows, options);
    }
    Values output(Index rows) const { return Values(plan.output(), plan.output() + rows * task.out()); }
    Values predict(const Batch<T>& batch, Index rows) {
        auto y = unset<T>(rows * task.out());
        plan.predict(batch.x.data(), rows, y.data());
        return Values(y.begin(), y.end());
    }

    // A step of both, on the same batch, which must stay what it is.
    void step(Index rows, pynet::StepOptions options = {}) {
        const int failures = check::failures;
        const Batch<T> batch(task, rows, ++steps), same = batch;
        std::size_t next = 0;
        for (auto& m : reference.modules) {
            if (m.kind == K::dropout) plan.dropouts()[next++]->seed = m.seed = 1000 * steps + m.in;
        }
        net.set_gradients(T(sentinel));
        const double loss = step_alone(batch, options);
        CHECK_EQUAL(batch.x == same.x, true);

        std::vector<Values> at{Values(same.x.begin(), same.x.end())};
        for (const auto& m : reference.modules) at.push_back(forward(m, at.back()));
        close_to<T>(output(rows), at.back(), "output", __LINE__);
        Values gradient = at.back();
        close_to<T>({loss}, {loss_of(task.loss, gradient, batch.target_rows, task.out())}, "loss", __LINE__);
        reference.set_gradients(0);
        for (std::size_t i = at.size() - 1; i-- > 0;) gradient = backward(reference.modules[i], at[i], gradient);
        learn(reference, plan.optimizer.clip);
        if (!options.keep_gradients) reference.set_gradients(sentinel);
        const auto got = net.state(), expected = reference.state();
        for (std::size_t i = 0; i < got.size(); ++i) close_to<T>(got[i], expected[i], "state", __LINE__);
        if (check::failures != failures) std::printf("  in step %u, of %d rows\n", steps, int(rows));
    }
};

// Up to 64 rows, up to 127 and from 128 on are three ways to compute; one row is a fourth.
const std::vector<Index> batch_sizes{1, 2, 33, 65, 130, 400};

// 109,200 weights: a single row makes two parts, 400 make four of two chunks; and rows of 520 weights move in pieces.
const Task classifier{200, {{K::linear, 520}, {K::relu}, {K::linear, 10}}};
const Task normalised{
    70, {{K::linear, 96}, {K::batch_norm}, {K::relu}, {K::linear, 40, true}, {K::batch_norm, 0, true}, {K::linear, 5}}};

// test(trial, rows) in float and double, for tasks and batch sizes; of one row BatchNorm has no statistics.
template <class Test>
void each(const std::vector<Task>& tasks, const std::vector<Index>& sizes, const Test& test) {
    for (const Task& task : tasks) {
        for (const Index rows : sizes) {
            Trial<float> single(task);
            if (rows == 1 && single.plan.needs_two_rows()) continue;
            const int before = check::failures;
            test(single, rows);
            if (check::failures != before) std::printf("  with %d rows, in float\n", int(rows));
            Trial<double> trial(task);
            test(trial, rows);
        }
    }
}

template <class T>
T type_of(const Trial<T>&);

}  // namespace

TEST_CASE("plan steps are the reference's for batches of every size, and keep gradients on request") {
    const Task squares{33, {{K::linear, 70}, {K::relu}, {K::linear, 3}}, Loss::squares, false};
    each({classifier, normalised, squares}, batch_sizes, [](auto& trial, Index rows) {
        for (const bool keep : {false, true, false}) trial.step(rows, {keep, false});
    });
}

TEST_CASE("plan steps leave what is frozen alone, wherever it stands") {
    const std::vector<Layer> layers{{K::linear, 50}, {K::batch_norm}, {K::relu},       {K::linear, 40, true},
                                    {K::relu},       {K::softmax},    {K::batch_norm}, {K::linear, 7}};
    std::vector<Task> tasks;
    for (const std::vector<int>& frozen : {std::vector{0},
                                           {1},
                                           {0, 1},
                                           {3},
                                           {0, 3},
                                           {1, 3},
                                           {0, 1, 3},
                                           {6},
                                           {7},
                                           {6, 7},
                                           {0, 1, 3, 6},
                                           {0, 1, 3, 6, 7}}) {
        for (const bool with_norm : {true, false}) {
            Task task{64, {}};
            for (int i = 0; i < int(layers.size()); ++i) {
                if (!with_norm && layers[i].kind == K::batch_norm) continue;
                task.layers.push_back(layers[i]);
                task.layers.back().frozen = std::find(frozen.begin(), frozen.end(), i) != frozen.end();
            }
            tasks.push_back(task);
        }
    }
    each(tasks, {1, 2, 65, 130, 400}, [](auto& trial, Index rows) {
        for (const bool keep : {false, true}) trial.step(rows, {keep, false});
        trial.plan.optimizer.clip.norm = 0.05;
        trial.step(rows, {false, false});
    });
}

TEST_CASE("plan steps are the reference's through every operation") {
    const std::vector<Layer> curves{{K::linear, 50}, {K::leaky_relu}, {K::linear, 40, true}, {K::tanh},
                                    {K::linear, 30}, {K::sigmoid},    {K::linear, 5}};
    const std::vector<Layer> dropouts{{K::linear, 50}, {K::relu}, {K::dropout},  {K::linear, 40},
                                      {K::dropout},    {K::tanh}, {K::linear, 7}};
    const std::vector<Layer> rows_in_the_middle{{K::linear, 50}, {K::softmax}, {K::tanh}, {K::linear, 7}, {K::softmax}};
    const std::vector<Layer> norm{{K::linear, 50}, {K::batch_norm}, {K::relu}, {K::dropout}, {K::linear, 7}};
    const std::vector<Task> tasks{{64, curves, Loss::squares, false},
                                  {64, dropouts},
                                  {64, dropouts, Loss::of_scores, false},
                                  {64, rows_in_the_middle, Loss::of_probabilities},
                                  {64, rows_in_the_middle, Loss::of_probabilities, false},
                                  {64, norm},
                                  {64, norm, Loss::of_scores, true, false}};
    each(tasks, batch_sizes, [](auto& trial, Index rows) {
        for (int step = 0; step < 3; ++step) trial.step(rows);
    });
}

TEST_CASE("plan steps are the reference's where the weights outweigh the batch") {
    // More than 512 outputs in a part, four parts, and as many of a single row.
    each({{40, {{K::linear, 520}, {K::relu}, {K::linear, 1100}, {K::linear, 3}}}}, {65, 130},
         [](auto& trial, Index rows) { trial.step(rows); });
    each({{40, {{K::linear, 2000}, {K::relu}, {K::linear, 2000}, {K::linear, 3}}}}, {1},
         [](auto& trial, Index rows) { trial.step(rows); });
}

TEST_CASE("plan leaves its input alone, whatever the first layer is") {
    for (const Kind first : {K::linear, K::relu, K::tanh, K::softmax, K::dropout, K::batch_norm}) {
        each({{20, {{first, 20}, {K::relu}, {K::linear, 7}}}}, {1, 2, 33, 400}, [](auto& trial, Index rows) {
            for (int step = 0; step < 2; ++step) trial.step(rows);  // which compares the input
            const Batch<decltype(type_of(trial))> batch(trial.task, rows, 9), same = batch;
            trial.predict(batch, rows);
            CHECK_EQUAL(batch.x == same.x, true);
        });
    }
}

TEST_CASE("plan takes batches of changing sizes") {
    each({classifier, normalised}, {2}, [](auto& trial, Index two) {
        for (const Index rows : {33, 400, 65, 2, 2, 130, 400}) trial.step(rows, {rows == two, false});
        if (trial.plan.needs_two_rows()) return;
        for (const Index rows : {1, 400, 1}) trial.step(rows);
    });
}

TEST_CASE("plan clips gradients by norm and by value") {
    for (const pynet::Clip limits : {pynet::Clip{0.1}, {1e6}, {INFINITY, 0.01}, {0.5, 0.01}}) {
        each({classifier, normalised}, {1, 33, 130}, [=](auto& trial, Index rows) {
            trial.plan.optimizer.clip = limits;
            for (const bool keep : {false, true}) trial.step(rows, {keep, false});
        });
    }
}

TEST_CASE("plan moves nothing where the loss must be finite and is not") {
    for (const double norm : {1.0, double(INFINITY)}) {
        each({classifier, normalised}, {1, 33, 65, 130}, [=](auto& trial, Index rows) {
            trial.plan.optimizer.clip.norm = norm;
            Batch<decltype(type_of(trial))> bad(trial.task, rows, 99);
            bad.x.back() = NAN;
            for (int step = 0; step < 2; ++step) {
                for (const bool keep : {false, true}) {
                    const auto before = trial.net.state();
                    CHECK_EQUAL(std::isfinite(trial.step_alone(bad, {keep, true})), false);
                    CHECK_EQUAL(trial.net.state() == before, true);
                }
                trial.step(rows, {false, true});  // is the next one, as if nothing had been
            }
            trial.step_alone(bad);
            CHECK_EQUAL(std::isnan(trial.net.modules[0].weight.value[0]), true);
        });
    }
}

TEST_CASE("plan computes the same bits on any number of threads") {
    each({classifier, normalised}, batch_sizes, [](auto& like, Index rows) {
        using T = decltype(type_of(like));
        const auto compute = [&] {
            Trial<T> trial(like.task);
            trial.plan.optimizer.clip.norm = 0.5;
            std::vector<Values> all;
            for (unsigned step = 0; step < 3; ++step) {
                const Batch<T> batch(trial.task, rows, step);
                all.push_back({trial.step_alone(batch, {step == 1, false})});
                all.push_back(trial.output(rows));
                all.push_back(trial.predict(batch, rows));
                if (step == 1) trial.plan.optimizer.clip = {};
            }
            for (const Values& values : trial.net.state()) all.push_back(values);
            return all;
        };
        const auto expected = on_any_threads(compute);
        const Threads three(3);
        CHECK_EQUAL(compute() == expected, true);
    });
}

TEST_CASE("plan predicts what a step in evaluation puts out") {
    Task evaluated = normalised;
    evaluated.training = false;
    each({classifier, evaluated}, batch_sizes, [](auto& trial, Index rows) {
        const Batch<decltype(type_of(trial))> batch(trial.task, rows, 1);
        Task without_loss = trial.task;
        without_loss.loss = Loss::none;
        const Values y = trial.predict(batch, rows);
        close_to<decltype(type_of(trial))>(Trial<decltype(type_of(trial))>(without_loss).predict(batch, rows), y,
                                           "prediction without a loss", __LINE__);
        trial.step_alone(batch);
        CHECK_EQUAL(trial.output(rows) == y, true);
    });
}

TEST_CASE("plan that is frozen has BatchNorm folded in, and ignores what becomes of the modules") {
    Task small = normalised, large{300, {{K::linear, 1700}, {K::batch_norm}, {K::relu}, {K::linear, 7}}};
    small.loss = large.loss = Loss::none;
    small.training = large.training = false;
    each({small, large}, {2}, [](auto& trial, Index) {
        using T = decltype(type_of(trial));
        trial.plan.freeze();
        for (auto* a : trial.net.arrays()) a->value.assign(a->value.size(), T(NAN));
        for (auto& m : trial.net.modules) m.mean = m.var = std::vector<T>(m.mean.size(), T(NAN));
        for (const Index rows : {1, 2, 33, 130, 1}) {
            const Batch<T> batch(trial.task, rows, 3);
            Values expected(batch.x.begin(), batch.x.end());
            for (const auto& m : trial.reference.modules) expected = forward(m, expected);
            close_to<T>(trial.predict(batch, rows), expected, "frozen prediction", __LINE__);
        }
    });
}

TEST_CASE("plan leaves the floating-point mode of its caller") {
    each({classifier}, {1, 33, 400}, [](auto& trial, Index rows) {
        volatile auto denormal = std::numeric_limits<decltype(type_of(trial))>::denorm_min();
        trial.step(rows);
        CHECK_EQUAL(denormal * 1 != 0, true);
    });
}
