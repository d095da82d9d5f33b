// Parameters of a plan, and what becomes of their gradients.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>
#include <variant>
#include <vector>

#include "kernels/kernels.hpp"

namespace pynet {

// 1 - beta^steps. As a difference it would have lost two digits after ten steps with beta 0.999.
inline double correction(double beta, double steps) { return -std::expm1(steps * std::log(beta)); }

// What an update needs at a parameter's `step`-th step, counted from 1. `product` is what NAdam keeps: that of the
// momenta of all steps before.
inline SgdOptions::Moment moment_of(const SgdOptions&, std::int64_t step, double) { return {step <= 1}; }
inline AdamOptions::Moment moment_of(const AdamOptions& o, std::int64_t step, double) {
    return {correction(o.beta1, double(step)), correction(o.beta2, double(step))};
}
inline NadamOptions::Moment moment_of(const NadamOptions& o, std::int64_t step, double product) {
    const auto momentum = [&](double t) { return o.beta1 * (1 - 0.5 * std::pow(0.96, t * o.momentum_decay)); };
    const double now = momentum(double(step)), next = momentum(double(step + 1));
    product *= now;
    return {(1 - now) / (1 - product), next / (1 - product * next), correction(o.beta2, double(step)), product};
}
inline RmspropOptions::Moment moment_of(const RmspropOptions&, std::int64_t, double) { return {}; }
inline AdagradOptions::Moment moment_of(const AdagradOptions& o, std::int64_t step, double) {
    return {1 / (1 + double(step - 1) * o.lr_decay)};
}
inline AdadeltaOptions::Moment moment_of(const AdadeltaOptions&, std::int64_t, double) { return {}; }

// One of the optimizers, whichever it is, as something Of its options.
template <template <class> class Of>
using AnyOptimizer = std::variant<Of<SgdOptions>, Of<AdamOptions>, Of<NadamOptions>, Of<RmspropOptions>,
                                  Of<AdagradOptions>, Of<AdadeltaOptions>>;

template <class Options>
using Themselves = Options;
using OptimizerOptions = AnyOptimizer<Themselves>;

// What an optimizer counts for each parameter, where Python keeps it.
struct Counts {
    std::int64_t* steps = nullptr;
    double* product = nullptr;  // null: it is nobody's
};

// What a parameter has of its own, if its group has.
struct Own {
    double lr_ratio = 1;         // of its learning rate to the optimizer's
    double weight_decay = -1.0;  // below 0: the optimizer's
};

// One step of one parameter: an update with all its numbers.
template <class Options>
struct Turn {
    Options options;
    typename Options::Moment moment;

    Turn() = default;
    Turn(const Options& options_, Counts counts, Own own)
        : options(options_), moment(moment_of(options, *counts.steps + 1, counts.product ? *counts.product : 1)) {
        options.lr *= own.lr_ratio;
        if (own.weight_decay >= 0) options.weight_decay = own.weight_decay;
    }

    // The step has been made.
    void count(Counts counts) const {
        ++*counts.steps;
        if constexpr (std::is_same_v<Options, NadamOptions>) *counts.product = moment.product;
    }
};

// A module's arrays, and an optimizer's for it: the plan computes in them, so they are never out of date.
template <class T>
struct Parameter {
    T* value = nullptr;
    T* gradient = nullptr;  // null: it is frozen
    Index size = 0;
    States<T> states{};
    Counts counts{};
    Own own{};

    // Of the present step:
    T* place = nullptr;  // where its whole gradient goes, if that is wanted
    AnyOptimizer<Turn> turn{};

    bool learns() const { return value && gradient; }
};

// What is done to all gradients before the parameters move; infinite: nothing.
struct Clip {
    double norm = INFINITY, value = INFINITY;

    bool any() const { return norm != INFINITY || value != INFINITY; }
};

template <class T>
class Optimizer {
 public:
    OptimizerOptions options;
    Clip clip;

    // Begins a step. Moments are powers, which parameters of equal age share.
    void begin(const std::vector<Parameter<T>*>& parameters) const {
        std::visit([&](const auto& own) { begin(parameters, own); }, options);
    }
    // The step has been made.
    void count(const std::vector<Parameter<T>*>& parameters) const {
        for (const Parameter<T>* p : parameters) {
            std::visit([&](const auto& turn) { turn.count(p->counts); }, p->turn);
        }
    }

    // Moves elements [first, first + count), whose gradient begins at `gradient`.
    void move(const Parameter<T>& p, Index first, Index count, const T* gradient) const {
        std::visit(
            [&](const auto& turn) {
                kernel(turn).step(p.value + first, gradient, from(p.states, first), count, turn.options, turn.moment);
            },
            p.turn);
    }
    // The same for `rows` whole rows of a parameter, whose gradient is factors[n] x[k].
    void move_outer(const Parameter<T>& p, Index first_row, Index rows, Index columns, const T* factors,
                    const T* x) const {
        const Index first = first_row * columns;
        std::visit(
            [&](const auto& turn) {
                kernel(turn).step_outer(p.value + first, factors, x, from(p.states, first), rows, columns, turn.options,
                                        turn.moment);
            },
            p.turn);
    }

 private:
    template <class Options>
    static const Update<T, Options>& kernel(const Turn<Options>&) {
        return kernels<T>().*Options::template kernel<T>;
    }
    static States<T> from(States<T> states, Index first) { return PYNET_ISA::from(states, first); }

    template <class Options>
    static void begin(const std::vector<Parameter<T>*>& parameters, const Options& own) {
        const Parameter<T>* before = nullptr;
        for (Parameter<T>* p : parameters) {
            if (before && are_alike(*before, *p)) {
                p->turn = before->turn;
            } else {
                p->turn = Turn<Options>(own, p->counts, p->own);
            }
            before = p;
        }
    }
    static bool are_alike(const Parameter<T>& a, const Parameter<T>& b) {
        return *a.counts.steps == *b.counts.steps && (!a.counts.product || *a.counts.product == *b.counts.product) &&
               a.own.lr_ratio == b.own.lr_ratio && a.own.weight_decay == b.own.weight_decay;
    }
};

// Where gradients go in a step. Without need of them they exist only in a cache, for as long as parameters are moved.
template <class T>
struct Learner {
    const Optimizer<T>* optimizer = nullptr;
    bool keep = false;   // they are left in the modules' arrays
    bool later = false;  // parameters move when all gradients are there: these are clipped first

    bool whole() const { return keep || later; }

    void learn(const Parameter<T>& p, Index first, Index count, const T* gradient) const {
        if (!later) optimizer->move(p, first, count, gradient);
    }
    // A gradient that is an outer product: it is computed only where it is wanted.
    void learn_outer(const Parameter<T>& p, Index first_row, Index rows, Index columns, const T* factors,
                     const T* x) const {
        if (!whole()) return optimizer->move_outer(p, first_row, rows, columns, factors, x);
        T* to = p.place + first_row * columns;
        kernels<T>().product.outer(factors, x, rows, columns, to);
        learn(p, first_row * columns, rows * columns, to);
    }
};

}  // namespace pynet
