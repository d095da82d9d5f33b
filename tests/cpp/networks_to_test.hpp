// Networks to try plans with, and their description to a plan.
#pragma once

#include <memory>

#include "kernels_to_test.hpp"
#include "plan/plan.hpp"

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
        plan.set_criterion(std::make_unique<pynet::LossCriterion<T>>(pynet::loss_named<T>("mse"), pynet::LossOptions{},
                                                                     pynet::Over::batch));
    }
    if (loss == Loss::of_probabilities) plan.set_criterion(std::make_unique<pynet::CrossEntropyCriterion<T>>());
    if (loss == Loss::of_scores) {
        plan.set_criterion(std::make_unique<Scores>(pynet::kernels<T>().cross_entropy_loss,
                                                    pynet::CrossEntropyLossOptions<T>{nullptr, -100, 0}, true));
    }
}
