// Plans: training steps and predictions against a naive reference in double, and what they must leave as it was.
#include <algorithm>
#include <memory>

#include "kernels_to_test.hpp"
#include "plan/plan.hpp"

namespace {

using Values = std::vector<double>;

enum class Kind { linear, relu, leaky_relu, sigmoid, tanh, softmax, dropout, batch_norm };
enum class Loss { none, squares, of_probabilities, of_scores };
using K = Kind;

struct Layer {
    Kind kind;
    Index out = 0;       // 0: as many as before
    bool plain = false;  // a Linear without bias, a BatchNorm without weight and bias
    bool frozen = false;
};

// A network and what it learns.
struct Task {
    Index in;
    std::vector<Layer> layers;
    Loss loss = Loss::of_scores;
    bool labels = true;    // else rows of targets
    bool training = true;  // of BatchNorm

    Index out() const {
        Index columns = in;
        for (const Layer& layer : layers) columns = layer.out ? layer.out : columns;
        return columns;
    }
};

constexpr double slope = 0.25, dropped = 0.25, bn_momentum = 0.25, sentinel = 77;
constexpr double bn_eps = 0.5;  // large: else two rows, normalised, are always -1 and 1 and pass on no gradient
const pynet::SgdOptions sgd{0.05, 0.9, 0.25, 0.01, false};

template <class T>
struct Array {
    std::vector<T> value, gradient, velocity;
    std::int64_t steps = 0;
    bool frozen = false;

    // Numbers whose sums of so many are about 1, exact in both types.
    void fill(Index size, Index summands, unsigned seed) {
        T scale = 2;
        while (scale * scale < T(4 * summands)) scale *= 2;
        for (const T x : numbers<T>(size, seed)) value.push_back(x / scale);
        gradient.assign(value.size(), T(sentinel));
        velocity.assign(value.size(), T(sentinel));  // the first step may not read it
    }
    T at(Index i, T otherwise) const { return value.empty() ? otherwise : value[i]; }
    pynet::Parameter<T> parameter() {
        if (value.empty()) return {};
        return {value.data(), frozen ? nullptr : gradient.data(), Index(value.size()), {{velocity.data()}}, {&steps}};
    }
};

template <class T>
struct Module {
    Kind kind;
    Index in, out;
    bool training;
    Array<T> weight{}, bias{};
    std::vector<T> mean{}, var{};  // running
    std::int64_t batches = 0;
    std::uint64_t seed = 0;  // of a Dropout, for one step
};

// The modules of a task, whose numbers begin the same in every type.
template <class T>
struct Network {
    std::vector<Module<T>> modules;

    explicit Network(const Task& task) {
        Index in = task.in;
        unsigned seed = 0;
        for (const Layer& layer : task.layers) {
            Module<T> m{layer.kind, in, layer.out ? layer.out : in, task.training};
            const bool linear = m.kind == K::linear, norm = m.kind == K::batch_norm;
            if (linear) m.weight.fill(m.in * m.out, m.in, ++seed);
            if (norm && !layer.plain) m.weight.fill(m.out, 1, ++seed);
            if ((linear || norm) && !layer.plain) m.bias.fill(m.out, 1, ++seed);
            if (norm) m.mean = numbers<T>(m.out, ++seed);
            for (const T x : m.mean) m.var.push_back(x * x + 1);
            m.weight.frozen = m.bias.frozen = layer.frozen;
            in = m.out;
            modules.push_back(std::move(m));
        }
    }
    std::vector<Array<T>*> arrays() {
        std::vector<Array<T>*> all;
        for (Module<T>& m : modules) {
            for (Array<T>* a : {&m.weight, &m.bias}) {
                if (!a->value.empty()) all.push_back(a);
            }
        }
        return all;
    }
    void set_gradients(T to) {
        for (Array<T>* a : arrays()) a->gradient.assign(a->value.size(), to);
    }
    // All that a step may change, one after another.
    std::vector<Values> state() {
        std::vector<Values> all;
        const auto add = [&](const auto& values) { all.emplace_back(values.begin(), values.end()); };
        for (const Array<T>* a : arrays()) {
            for (const auto* values : {&a->value, &a->velocity, &a->gradient}) add(*values);
            all.push_back({double(a->steps)});
        }
        for (const Module<T>& m : modules) {
            add(m.mean);
            add(m.var);
            all.push_back({double(m.batches)});
        }
        return all;
    }
};

template <class T>
void describe(pynet::Plan<T>& plan, Network<T>& net, Loss loss) {
    for (Module<T>& m : net.modules) {
        if (m.kind == K::linear) plan.add_linear(m.weight.parameter(), m.bias.parameter(), m.in, m.out);
        if (m.kind == K::relu) plan.add_relu();
        if (m.kind == K::leaky_relu) plan.add_activation(pynet::kernels<T>().leaky_relu, T(slope));
        if (m.kind == K::sigmoid) plan.add_activation(pynet::kernels<T>().sigmoid);
        if (m.kind == K::tanh) plan.add_activation(pynet::kernels<T>().tanh);
        if (m.kind == K::softmax) plan.add_softmax();
        if (m.kind == K::dropout) plan.add_dropout(dropped);
        if (m.kind != K::batch_norm) continue;
        plan.add_batch_norm({m.weight.parameter(), m.bias.parameter(), m.mean.data(), m.var.data(), &m.batches, bn_eps,
                             bn_momentum, m.training},
                            m.out);
    }
    plan.close();
    plan.optimizer.options = sgd;
    using Scores = pynet::CrossEntropyLossCriterion<T>;
    if (loss == Loss::squares) {
        plan.set_criterion(std::make_unique<pynet::LossCriterion<T>>(pynet::loss_named<T>("mse"),
                                                                     pynet::LossOptions<T>{}, pynet::Over::batch));
    }
    if (loss == Loss::of_probabilities) plan.set_criterion(std::make_unique<pynet::CrossEntropyCriterion<T>>());
    if (loss == Loss::of_scores) {
        plan.set_criterion(std::make_unique<Scores>(pynet::kernels<T>().cross_entropy_loss,
                                                    pynet::CrossEntropyLossOptions<T>{nullptr, -100, 0}, true));
    }
}

// ---------------------------------------------------------------------------------------------------- the reference

// The value of an activation or its slope.
double activation(Kind kind, double x, bool derived) {
    if (kind == K::relu || kind == K::leaky_relu) {
        return (derived ? 1 : x) * (x > 0 ? 1 : kind == K::relu ? 0 : slope);
    }
    const double y = kind == K::sigmoid ? 1 / (1 + std::exp(-x)) : std::tanh(x);
    return !derived ? y : kind == K::sigmoid ? y * (1 - y) : 1 - y * y;
}

Values softmax(const Values& x, Index columns) {
    Values y(x.size());
    for (std::size_t n = 0; n < x.size(); n += columns) {
        double total = 0;
        for (std::size_t k = n; k < n + columns; ++k) total += y[k] = std::exp(x[k]);
        for (std::size_t k = n; k < n + columns; ++k) y[k] /= total;
    }
    return y;
}

std::vector<std::uint8_t> mask_of(const Module<double>& m, Index size) {
    std::vector<std::uint8_t> mask(size);
    pynet::kernels<double>().dropout.draw(mask.data(), 0, size, m.seed, dropped);
    return mask;
}

struct Normal {  // of a column
    double mean, variance, divisor;

    Normal(const Module<double>& m, const Values& x, Index c) : mean(0), variance(0) {
        const double rows = double(Index(x.size()) / m.in);
        for (std::size_t i = c; i < x.size(); i += m.in) mean += x[i] / rows;
        if (!m.training) mean = m.mean[c];
        for (std::size_t i = c; i < x.size(); i += m.in) variance += (x[i] - mean) * (x[i] - mean) / rows;
        if (!m.training) variance = m.var[c];
        divisor = std::sqrt(variance + bn_eps);
    }
    double of(double x) const { return (x - mean) / divisor; }
};

Values forward(const Module<double>& m, const Values& x) {
    const Index size = Index(x.size());
    if (m.kind == K::softmax) return softmax(x, m.in);
    Values y(size / m.in * m.out);
    if (m.kind == K::linear) {
        for (Index i = 0; i < Index(y.size()); ++i) {
            const double *from = &x[i / m.out * m.in], *weight = &m.weight.value[i % m.out * m.in];
            double sum = m.bias.at(i % m.out, 0);
            for (Index k = 0; k < m.in; ++k) sum += from[k] * weight[k];
            y[i] = sum;
        }
    } else if (m.kind == K::dropout) {
        const auto mask = mask_of(m, size);
        for (Index i = 0; i < size; ++i) y[i] = mask[i] * x[i] / (1 - dropped);
    } else if (m.kind == K::batch_norm) {
        for (Index c = 0; c < m.in; ++c) {
            const Normal normal(m, x, c);
            for (Index i = c; i < size; i += m.in) y[i] = normal.of(x[i]) * m.weight.at(c, 1) + m.bias.at(c, 0);
        }
    } else {
        for (Index i = 0; i < size; ++i) y[i] = activation(m.kind, x[i], false);
    }
    return y;
}

// The gradient at the input; those of the parameters, and running statistics, stay in the module.
Values backward(Module<double>& m, const Values& x, const Values& dy) {
    const Index size = Index(x.size());
    Values dx(size), &dw = m.weight.gradient, &db = m.bias.gradient;
    if (m.kind == K::linear) {
        for (Index i = 0; i < Index(dy.size()); ++i) {
            const Index n = i / m.out * m.in, o = i % m.out;
            const double *from = &x[n], *weight = &m.weight.value[o * m.in], g = dy[i];
            double *grad_from = &dx[n], *grad_weight = &dw[o * m.in];
            for (Index k = 0; k < m.in; ++k) grad_from[k] += g * weight[k];
            for (Index k = 0; k < m.in; ++k) grad_weight[k] += g * from[k];
            if (!db.empty()) db[o] += g;
        }
    } else if (m.kind == K::softmax) {
        const Values y = softmax(x, m.in);
        for (Index n = 0; n < size; n += m.in) {
            double sum = 0;
            for (Index k = n; k < n + m.in; ++k) sum += dy[k] * y[k];
            for (Index k = n; k < n + m.in; ++k) dx[k] = y[k] * (dy[k] - sum);
        }
    } else if (m.kind == K::dropout) {
        const auto mask = mask_of(m, size);
        for (Index i = 0; i < size; ++i) dx[i] = mask[i] * dy[i] / (1 - dropped);
    } else if (m.kind == K::batch_norm) {
        const double rows = double(size / m.in);
        for (Index c = 0; c < m.in; ++c) {
            const Normal normal(m, x, c);
            double sum = 0, product = 0;
            for (Index i = c; i < size; i += m.in) sum += dy[i], product += dy[i] * normal.of(x[i]);
            for (Index i = c; i < size; i += m.in) {
                const double through_batch = m.training ? (sum + normal.of(x[i]) * product) / rows : 0;
                dx[i] = m.weight.at(c, 1) / normal.divisor * (dy[i] - through_batch);
            }
            if (!db.empty()) db[c] = sum, dw[c] = product;
            if (!m.training) continue;
            m.mean[c] += bn_momentum * (normal.mean - m.mean[c]);
            m.var[c] += bn_momentum * (normal.variance * rows / (rows - 1) - m.var[c]);
        }
        m.batches += m.training;
    } else {
        for (Index i = 0; i < size; ++i) dx[i] = activation(m.kind, x[i], true) * dy[i];
    }
    return dx;
}

// The loss, and its gradient in place of the output. Targets of scores add up to 1 in every row.
double loss_of(Loss loss, Values& output, const Values& target, Index columns) {
    const double rows = double(Index(output.size()) / columns);
    const Values p = loss == Loss::of_scores ? softmax(output, columns) : output;
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        const double apart = p[i] - target[i];
        sum += loss == Loss::squares ? apart * apart : -target[i] * std::log(p[i]);
        output[i] = (loss == Loss::squares ? 2 * apart : loss == Loss::of_scores ? apart : -target[i] / p[i]) / rows;
    }
    return sum / rows;
}

void learn(Network<double>& net, pynet::Clip limits) {
    double squares = 0;
    for (const auto* a : net.arrays()) {
        for (const double g : a->gradient) squares += a->frozen ? 0 : g * g;
    }
    const double factor = std::min(1.0, limits.norm / (std::sqrt(squares) + 1e-6));
    for (auto* a : net.arrays()) {
        if (a->frozen) {
            a->gradient.assign(a->value.size(), sentinel);
            continue;
        }
        for (std::size_t i = 0; i < a->value.size(); ++i) {
            double &g = a->gradient[i], &v = a->velocity[i], &p = a->value[i];
            g = std::max(-limits.value, std::min(limits.value, g * factor));
            const double pull = g + sgd.weight_decay * p;
            v = a->steps == 0 ? pull : sgd.momentum * v + (1 - sgd.dampening) * pull;
            p -= sgd.lr * v;
        }
        ++a->steps;
    }
}

// ------------------------------------------------------------------------------------------- one beside the other

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
