// Criteria of a plan: loss and gradient of some rows.
#pragma once

#include "kernels/kernels.hpp"
#include "plan/matrix.hpp"

namespace pynet {

// Amounts or probabilities in rows as long as the output's, or one label per row: one of the two is null.
template <class T>
struct Target {
    const T* values;
    const std::int64_t* labels;

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
    virtual double forward_backward(const T* input, Target<T> target, T* gradient, Index first, Index last,
                                    Index columns, double divisor) const = 0;
    // Whether it does so from now on at the scores of which its input is the softmax.
    virtual bool reaches_through_softmax() { return false; }
};

// What a sum of squares is divided by.
enum class SquaresOver { batch, elements, nothing };

template <class T>
class MseCriterion final : public Criterion<T> {
 public:
    explicit MseCriterion(SquaresOver over) : over_(over) {}

    double divisor(Target<T>, Index rows, Index columns) const override {
        return over_ == SquaresOver::batch      ? double(rows)
               : over_ == SquaresOver::elements ? double(rows) * double(columns)
                                                : 1.0;
    }
    double forward_backward(const T* input, Target<T> target, T* gradient, Index first, Index last, Index columns,
                            double divisor) const override {
        const Index size = (last - first) * columns;
        const T* t = target.row(first, columns);
        const double sum = kernels<T>().mse.forward(input, t, nullptr, size);
        kernels<T>().mse.backward(input, t, gradient, size, 2 / divisor);
        return sum;
    }

 private:
    SquaresOver over_;
};

template <class T>
class CrossEntropyCriterion final : public Criterion<T> {
 public:
    double divisor(Target<T>, Index rows, Index) const override { return double(rows); }
    double forward_backward(const T* input, Target<T> target, T* gradient, Index first, Index last, Index columns,
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

template <class T>
class CrossEntropyLossCriterion final : public Criterion<T> {
 public:
    CrossEntropyLossCriterion(CrossEntropyLossOptions<T> options, bool mean) : options_(options), mean_(mean) {}

    double divisor(Target<T> target, Index rows, Index) const override {
        if (!mean_) return 1;
        if (!target.labels) return double(rows);
        return kernels<T>().cross_entropy_loss.total_weight(target.labels, rows, options_);
    }
    double forward_backward(const T* input, Target<T> target, T* gradient, Index first, Index last, Index columns,
                            double divisor) const override {
        return kernels<T>().cross_entropy_loss.forward_backward(input, target.row(first, columns), target.label(first),
                                                                gradient, last - first, columns, options_, 1 / divisor);
    }

 private:
    CrossEntropyLossOptions<T> options_;
    bool mean_;
};

}  // namespace pynet
