// LayerNorm, RMSNorm and GroupNorm in a plan.
#pragma once

#include "plan/row_operation.hpp"

namespace pynet {

// Of a row, `groups` groups of `size` numbers, `positions` of which have one weight; for the rest of the row the
// weights begin again.
template <class T>
class NormOperation final : public RowOperation<T> {
 public:
    // Parameters without values are not there. Of `of_one`, only the rows are another number.
    NormOperation(Parameter<T> weight, Parameter<T> bias, NormSizes of_one, NormOptions options)
        : weight_(weight), bias_(bias), of_one_(of_one), options_(options) {}

    void reserve(Index rows) override {
        if (!learns()) return;
        statistics_.reserve(2 * sizes(rows).rows * of_one_.groups);
        gradients_.reserve(2 * weight_.size);
    }
    void forward(Chunk rows) override {
        kernels<T>().norm.forward(this->input_of(rows), weight_.value, bias_.value, this->output_of(rows),
                                  sizes(rows.count), options_);
    }
    void backward(Chunk rows) override {
        double* statistics = nullptr;
        if (learns()) statistics = statistics_.data() + 2 * sizes(rows.first).rows * of_one_.groups;
        kernels<T>().norm.backward(this->input_of(rows), this->gradient_of(rows), weight_.value,
                                   this->input_gradient_of(rows), statistics, sizes(rows.count), options_);
    }
    bool learns() const override { return weight_.learns(); }
    void learn(Index rows, Index part, Index parts, const Learner<T>& learner) override {
        const Index count = weight_.size, line = 64 / Index(sizeof(T));
        const Index first = cut(count, part, parts, line), last = cut(count, part + 1, parts, line);
        T* grad_weight = learner.whole() ? weight_.place : gradients_.data();
        T* grad_bias = !bias_.value ? nullptr : learner.whole() ? bias_.place : gradients_.data() + count;
        kernels<T>().norm.backward_parameters(this->input.data, this->gradient.data, statistics_.data(), grad_weight,
                                              grad_bias, first, last, sizes(rows), T(0));
        learner.learn(weight_, first, last - first, grad_weight + first);
        if (bias_.value) learner.learn(bias_, first, last - first, grad_bias + first);
    }
    void collect(std::vector<Parameter<T>*>& parameters) override {
        for (Parameter<T>* p : {&weight_, &bias_}) {
            if (p->learns()) parameters.push_back(p);
        }
    }

 private:
    NormSizes sizes(Index rows) const {
        const Index each = of_one_.groups * of_one_.size;
        return {each > 0 ? rows * (this->input.columns / each) : rows, of_one_.groups, of_one_.size, of_one_.positions};
    }

    Parameter<T> weight_, bias_;
    NormSizes of_one_;
    NormOptions options_;
    Buffer<double> statistics_;
    Buffer<T> gradients_;
};

}  // namespace pynet
