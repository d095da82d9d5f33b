// Criteria of a plan: loss and gradient of some rows.
#pragma once

#include "kernels/kernels.hpp"
#include "plan/losses.hpp"
#include "plan/matrix.hpp"
#include "plan/row_weights.hpp"

namespace pynet {

// Amounts or probabilities in rows, or one label per row: one of the two is null.
template <class T>
struct Target {
    const T* values;
    const std::int64_t* labels;
    const T* weights = nullptr;  // what each row counts; null: 1

    const T* row(Index n, Index columns) const { return values ? values + n * columns : nullptr; }
    const std::int64_t* label(Index n) const { return labels ? labels + n : nullptr; }
};

template <class T>
class Criterion {
 public:
    virtual ~Criterion() = default;

    // What the sum over all rows is divided by.
    virtual double divisor(Target<T> target, Index rows, Index columns) const = 0;
    // The sum over rows [first, last), and its gradient divided so; input and gradient point to the first of them.
    double forward_backward(const T* input, Target<T> target, T* gradient, Index first, Index last, Index columns,
                            double divisor) const {
        double sum = 0;
        const T* weights = target.weights ? target.weights + first : nullptr;
        for_weights(weights, last - first, [&](Index from, Index to, double weight) {
            sum += weight * of_rows(input + from * columns, target, gradient + from * columns, first + from, first + to,
                                    columns, divisor / weight);
        });
        return sum;
    }
    // How long the target's rows are, for an output of so many columns.
    virtual Index target_columns(Index columns) const { return columns; }
    // Whether there are outputs that it refuses: the loss is NaN then, and nothing may move.
    virtual bool refuses() const { return false; }
    // Whether it does so from now on at the scores of which its input is the softmax.
    virtual bool reaches_through_softmax() { return false; }

 private:
    // The same of rows that count 1 each.
    virtual double of_rows(const T* input, Target<T> target, T* gradient, Index first, Index last, Index columns,
                           double divisor) const = 0;
};

template <class T>
class LossCriterion final : public Criterion<T> {
 public:
    LossCriterion(const NamedLoss<T>& loss, LossOptions options, Over what)
        : loss_(loss), options_(options), over_(what) {}

    Index target_columns(Index columns) const override { return loss_.target_columns(columns); }
    bool refuses() const override { return loss_.refuses != Refuses::nothing; }
    double divisor(Target<T>, Index rows, Index columns) const override {
        return divisor_of(over_, rows, rows * loss_.loss_columns(columns));
    }
    double of_rows(const T* input, Target<T> target, T* gradient, Index first, Index last, Index columns,
                   double divisor) const override {
        const Loss<T>& kernel = kernels<T>().*loss_.kernel;
        const T* t = target.row(first, target_columns(columns));
        const double sum = kernel.forward(input, t, nullptr, last - first, columns, options_);
        kernel.backward(input, t, gradient, last - first, columns, options_, 1 / divisor);
        return sum;
    }

 private:
    const NamedLoss<T>& loss_;
    LossOptions options_;
    Over over_;
};

template <class T>
class CrossEntropyCriterion final : public Criterion<T> {
 public:
    double divisor(Target<T>, Index rows, Index) const override { return double(rows); }
    double of_rows(const T* input, Target<T> target, T* gradient, Index first, Index last, Index columns,
                   double divisor) const override {
        const auto& kernel = kernels<T>().cross_entropy;
        const T* t = target.row(first, columns);
        const std::int64_t* labels = target.label(first);
        const double sum = kernel.forward(input, t, labels, last - first, columns);
        const auto backward = through_softmax_ ? kernel.backward_through_softmax : kernel.backward;
        backward(input, t, labels, gradient, last - first, columns, 1 / divisor);
        return sum;
    }
    bool reaches_through_softmax() override { return through_softmax_ = true; }

 private:
    bool through_softmax_ = false;
};

// CrossEntropyLoss, and NLLLoss with the same functions of log-probabilities.
template <class T>
class CrossEntropyLossCriterion final : public Criterion<T> {
 public:
    CrossEntropyLossCriterion(const CrossEntropyLoss<T>& kernel, CrossEntropyLossOptions<T> options, bool mean)
        : kernel_(kernel), options_(options), mean_(mean) {}

    double divisor(Target<T> target, Index rows, Index) const override {
        if (!mean_) return 1;
        if (!target.labels) return double(rows);
        return kernel_.total_weight(target.labels, rows, options_);
    }
    double of_rows(const T* input, Target<T> target, T* gradient, Index first, Index last, Index columns,
                   double divisor) const override {
        return kernel_.forward_backward(input, target.row(first, columns), target.label(first), gradient, last - first,
                                        columns, options_, 1 / divisor);
    }

 private:
    const CrossEntropyLoss<T>& kernel_;
    CrossEntropyLossOptions<T> options_;
    bool mean_;
};

}  // namespace pynet
