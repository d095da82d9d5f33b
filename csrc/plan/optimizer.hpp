// Parameters of a plan, and what becomes of their gradients.
#pragma once

#include <cmath>
#include <variant>
#include <vector>

#include "kernels/kernels.hpp"

namespace pynet {

// A module's arrays, and an optimizer's for it: the plan computes in them, so they are never out of date.
template <class T>
struct Parameter {
    T* value = nullptr;
    T* gradient = nullptr;
    Index size = 0;
    T* state[2] = {nullptr, nullptr};  // velocity; or mean and square
    std::int64_t* steps = nullptr;

    // Of the present step:
    T* place = nullptr;  // where its whole gradient goes, if that is wanted
    bool first = false;
    double correction1 = 1, correction2 = 1;
};

// What is done to all gradients before the parameters move; infinite: nothing.
struct Clip {
    double norm = INFINITY, value = INFINITY;

    bool any() const { return norm != INFINITY || value != INFINITY; }
};

// 1 - beta^steps, for Adam. As a difference it would have lost two digits after ten steps with beta 0.999.
inline double correction(double beta, double steps) { return -std::expm1(steps * std::log(beta)); }

template <class T>
class Optimizer {
 public:
    using Options = std::variant<SgdOptions, AdamOptions>;

    Options options;
    Clip clip;

    // Begins a step: the corrections of Adam are powers, which parameters of equal age share.
    void begin(const std::vector<Parameter<T>*>& parameters) const {
        const AdamOptions* adam = std::get_if<AdamOptions>(&options);
        std::int64_t age = 0;
        double correction1 = 1, correction2 = 1;
        for (Parameter<T>* p : parameters) {
            const std::int64_t next = *p->steps + 1;
            if (adam && next != age) {
                correction1 = correction(adam->beta1, double(next));
                correction2 = correction(adam->beta2, double(next));
                age = next;
            }
            p->first = next <= 1;
            p->correction1 = correction1;
            p->correction2 = correction2;
        }
    }

    // Moves elements [first, first + count), whose gradient begins at `gradient`.
    void move(const Parameter<T>& p, Index first, Index count, const T* gradient) const {
        if (const SgdOptions* sgd = std::get_if<SgdOptions>(&options)) {
            T* velocity = p.state[0] ? p.state[0] + first : nullptr;
            kernels<T>().sgd.step(p.value + first, gradient, velocity, count, *sgd, p.first);
        } else {
            kernels<T>().adam.step(p.value + first, gradient, p.state[0] + first, p.state[1] + first, count,
                                   std::get<AdamOptions>(options), p.correction1, p.correction2);
        }
    }
    // The same for `rows` whole rows of a parameter, whose gradient is factors[n] x[k].
    void move_outer(const Parameter<T>& p, Index first_row, Index rows, Index columns, const T* factors,
                    const T* x) const {
        const Index first = first_row * columns;
        if (const SgdOptions* sgd = std::get_if<SgdOptions>(&options)) {
            T* velocity = p.state[0] ? p.state[0] + first : nullptr;
            kernels<T>().sgd.step_outer(p.value + first, factors, x, velocity, rows, columns, *sgd, p.first);
        } else {
            kernels<T>().adam.step_outer(p.value + first, factors, x, p.state[0] + first, p.state[1] + first, rows,
                                         columns, std::get<AdamOptions>(options), p.correction1, p.correction2);
        }
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
