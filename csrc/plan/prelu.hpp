// PReLU in a plan: with a weight for each column, or with one for all, whose gradient is a sum over them.
#pragma once

#include "plan/operation.hpp"

namespace pynet {

template <class T>
class PreluOperation final : public Operation<T> {
 public:
    explicit PreluOperation(Parameter<T> weight) : weight_(weight) {}

    void reserve(Index) override { gradient_.reserve(weight_.size); }
    void forward(Region r) override {
        const Index c = r.first_column;
        kernels<T>().prelu.forward(this->input.at(r.first_row, c), weight_.value + c, this->output.at(r.first_row, c),
                                   sizes(r));
    }
    void backward(Region r, Matrix<T> gradient, const Learner<T>& learner) override {
        const Index c = r.first_column;
        T *g = gradient.at(r.first_row, c), *own = nullptr;
        if (weight_.learns()) own = (learner.whole() ? weight_.place : gradient_.data()) + c;
        kernels<T>().prelu.backward(this->input.at(r.first_row, c), g, weight_.value + c, g, own, sizes(r), T(0));
        if (own) learner.learn(weight_, c, r.columns(), own);
    }
    bool mixes_rows() const override { return true; }
    void collect(std::vector<Parameter<T>*>& parameters) override {
        if (weight_.learns()) parameters.push_back(&weight_);
    }

 private:
    BatchNormSizes sizes(Region r) const { return {r.rows(), r.columns(), 1, this->input.stride}; }

    Parameter<T> weight_;
    Buffer<T> gradient_;
};

template <class T>
class SharedPreluOperation final : public Operation<T> {
 public:
    explicit SharedPreluOperation(Parameter<T> weight) : weight_(weight) {}

    void forward(Region region) override {
        this->for_pieces(region, this->input, [this](Index first, Index size) {
            kernels<T>().leaky_relu.forward(this->input.data + first, this->output.data + first, size, *weight_.value);
        });
    }
    void backward(Region r, Matrix<T> gradient, const Learner<T>& learner) override {
        double sum = 0;
        for (Index n = r.first_row; n < r.last_row; ++n) {  // without what lies between the rows
            sum += kernels<T>().prelu.sum(this->input.at(n, 0), gradient.at(n, 0), r.columns());
        }
        this->for_pieces(r, gradient, [=](Index first, Index size) {
            T* g = gradient.data + first;
            kernels<T>().leaky_relu.backward(this->input.data + first, g, g, size, *weight_.value);
        });
        if (!weight_.learns()) return;
        T own = T(sum);
        if (learner.whole()) *weight_.place = own;
        learner.learn(weight_, 0, 1, &own);
    }
    bool mixes_rows() const override { return true; }
    bool mixes_columns() const override { return true; }
    void collect(std::vector<Parameter<T>*>& parameters) override {
        if (weight_.learns()) parameters.push_back(&weight_);
    }

 private:
    Parameter<T> weight_;
};

}  // namespace pynet
