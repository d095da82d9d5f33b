// Operations of a plan that work on whole rows, each by itself: SoftMax, LogSoftMax and norms.
#pragma once

#include <vector>

#include "kernels/kernels.hpp"
#include "plan/matrix.hpp"
#include "plan/optimizer.hpp"

namespace pynet {

// Rows lie without gaps, `columns` numbers each.
template <class T>
class RowOperation {
 public:
    virtual ~RowOperation() = default;

    // Before a step of so many rows: memory.
    virtual void reserve(Index, Index) {}

    virtual void forward(const T* input, T* output, Index rows, Index columns) = 0;
    // Of rows that begin with the batch's row `first`; without grad_input it is not wanted.
    virtual void backward(const T* input, const T* grad_output, T* grad_input, Index first, Index rows,
                          Index columns) = 0;

    virtual bool is_softmax() const { return false; }

    // It has parameters: after backward, columns [first, last) learn from all rows at once.
    virtual bool learns() const { return false; }
    virtual void learn(const T*, const T*, Index, Index, Index, const Learner<T>&) {}
    virtual void collect(std::vector<Parameter<T>*>&) {}
};

// SoftMax or LogSoftMax.
template <class T>
class SoftmaxOperation final : public RowOperation<T> {
 public:
    template <class Kernel>
    SoftmaxOperation(const Kernel& kernel, bool is_softmax)
        : forward_(kernel.forward), backward_(kernel.backward), is_softmax_(is_softmax) {}

    void forward(const T* input, T* output, Index rows, Index columns) override {
        forward_(input, output, rows, columns);
    }
    void backward(const T* input, const T* grad_output, T* grad_input, Index, Index rows, Index columns) override {
        if (grad_input) backward_(input, grad_output, grad_input, rows, columns);
    }
    bool is_softmax() const override { return is_softmax_; }

 private:
    void (*forward_)(const T*, T*, Index, Index);
    void (*backward_)(const T*, const T*, T*, Index, Index);
    bool is_softmax_;
};

// LayerNorm, RMSNorm or GroupNorm of rows that have one number for each weight.
template <class T>
class NormOperation final : public RowOperation<T> {
 public:
    // Parameters without values are not there.
    NormOperation(Parameter<T> weight, Parameter<T> bias, Index groups, NormOptions options)
        : weight_(weight), bias_(bias), groups_(groups), options_(options) {}

    void reserve(Index rows, Index columns) override {
        if (!learns()) return;
        statistics_.reserve(2 * rows * groups_);
        gradients_.reserve(2 * columns);
    }
    void forward(const T* input, T* output, Index rows, Index columns) override {
        kernels<T>().norm.forward(input, weight_.value, bias_.value, output, sizes(rows, columns), options_);
    }
    void backward(const T* input, const T* grad_output, T* grad_input, Index first, Index rows,
                  Index columns) override {
        double* statistics = learns() ? statistics_.data() + 2 * first * groups_ : nullptr;
        kernels<T>().norm.backward(input, grad_output, weight_.value, grad_input, statistics, sizes(rows, columns),
                                   options_);
    }
    bool learns() const override { return weight_.learns(); }
    void learn(const T* input, const T* grad_output, Index rows, Index first, Index last,
               const Learner<T>& learner) override {
        const Index columns = weight_.size;
        T* grad_weight = learner.whole() ? weight_.place : gradients_.data();
        T* grad_bias = !bias_.value ? nullptr : learner.whole() ? bias_.place : gradients_.data() + columns;
        kernels<T>().norm.backward_parameters(input, grad_output, statistics_.data(), grad_weight, grad_bias, first,
                                              last, sizes(rows, columns), T(0));
        learner.learn(weight_, first, last - first, grad_weight + first);
        if (bias_.value) learner.learn(bias_, first, last - first, grad_bias + first);
    }
    void collect(std::vector<Parameter<T>*>& parameters) override {
        for (Parameter<T>* p : {&weight_, &bias_}) {
            if (p->learns()) parameters.push_back(p);
        }
    }

 private:
    NormSizes sizes(Index rows, Index columns) const { return {rows, groups_, columns / groups_, 1}; }

    Parameter<T> weight_, bias_;
    Index groups_;
    NormOptions options_;
    Buffer<double> statistics_;
    Buffer<T> gradients_;
};

}  // namespace pynet
