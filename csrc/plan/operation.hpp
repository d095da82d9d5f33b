// Operations between the products of a plan: each works on some columns, or some rows, of a matrix at a time.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>

#include "kernels/kernels.hpp"
#include "plan/matrix.hpp"
#include "plan/optimizer.hpp"

namespace pynet {

template <class T>
class Operation {
 public:
    virtual ~Operation() = default;

    // Before a step of so many rows: memory, and what can be computed without the input, part by part.
    virtual void reserve(Index) {}
    virtual void prepare(Index, Index, Index) {}

    virtual void forward(Region region) = 0;
    // From the gradient at the output to that at the input, in place.
    virtual void backward(Region region, Matrix<T> gradient, const Learner<T>& learner) = 0;
    // After a step whose loss was in order.
    virtual void finish() {}

    // Its output may lie where its input lies: it does not need the input again, nor does what stands before it.
    virtual bool overwrites() const { return false; }
    virtual bool is_relu() const { return false; }
    // It looks at all rows of a column at once; at all columns; and of one row knows nothing.
    virtual bool mixes_rows() const { return false; }
    virtual bool mixes_columns() const { return false; }
    virtual bool needs_two_rows() const { return false; }
    virtual void collect(std::vector<Parameter<T>*>&) {}

    Matrix<T> input, output;

 protected:
    // f(first element, how many) for the pieces of a region that lie together. Whole rows lie together with what is
    // between them, which counts nothing.
    template <class F>
    void for_pieces(Region r, Matrix<T> m, const F& f) const {
        if (r.rows() <= 0) return;
        if (r.first_column == 0 && r.last_column == m.columns) {
            return f(r.first_row * m.stride, (r.rows() - 1) * m.stride + m.columns);
        }
        for (Index n = r.first_row; n < r.last_row; ++n) f(n * m.stride + r.first_column, r.columns());
    }
};

// An element-wise activation. A ReLU knows from its output alone where its input was positive.
template <class T, class... Parameters>
class ActivationOperation final : public Operation<T> {
 public:
    ActivationOperation(Activation<T, Parameters...> kernel, bool is_relu, Parameters... parameters)
        : kernel_(kernel), is_relu_(is_relu), parameters_(parameters...) {}

    void forward(Region region) override {
        this->for_pieces(region, this->input, [this](Index first, Index size) {
            std::apply(
                [&](Parameters... p) {
                    kernel_.forward(this->input.data + first, this->output.data + first, size, p...);
                },
                parameters_);
        });
    }
    void backward(Region region, Matrix<T> gradient, const Learner<T>&) override {
        const T* from = is_relu_ ? this->output.data : this->input.data;
        this->for_pieces(region, gradient, [=](Index first, Index size) {
            std::apply(
                [&](Parameters... p) {
                    T* grad = gradient.data + first;
                    kernel_.backward(from + first, grad, grad, size, p...);
                },
                parameters_);
        });
    }
    bool overwrites() const override { return is_relu_; }
    bool is_relu() const override { return is_relu_; }

 private:
    Activation<T, Parameters...> kernel_;
    bool is_relu_;
    std::tuple<Parameters...> parameters_;
};

// Dropout in training. The mask is one byte per element, without gaps, as the module's own.
template <class T>
class DropoutOperation final : public Operation<T> {
 public:
    explicit DropoutOperation(double p) : p_(p) {}

    std::uint64_t seed = 0;  // drawn for each step

    void reserve(Index rows) override { mask_.reserve(rows * this->input.columns); }
    void prepare(Index part, Index parts, Index rows) override {
        const Index size = rows * this->input.columns;
        kernels<T>().dropout.draw(mask_.data(), cut(size, part, parts, 64), cut(size, part + 1, parts, 64), seed, p_);
    }
    void forward(Region region) override { apply(region, this->input, this->output); }
    void backward(Region region, Matrix<T> gradient, const Learner<T>&) override { apply(region, gradient, gradient); }
    bool overwrites() const override { return true; }

 private:
    void apply(Region r, Matrix<T> from, Matrix<T> to) const {
        for (Index n = r.first_row; n < r.last_row; ++n) {
            const std::uint8_t* mask = mask_.data() + (n + r.offset) * from.columns + r.first_column;
            kernels<T>().dropout.backward(from.at(n, r.first_column), mask, to.at(n, r.first_column), r.columns(), p_);
        }
    }

    double p_;
    Buffer<std::uint8_t> mask_;
};

// What a BatchNorm is: its own numbers, and the arrays of its module.
template <class T>
struct BatchNormArrays {
    Parameter<T> weight, bias;  // no value: not affine
    T *running_mean, *running_var;
    std::int64_t* num_batches_tracked;
    double eps, momentum;
    bool training;
};

template <class T>
class BatchNormOperation final : public Operation<T> {
 public:
    explicit BatchNormOperation(BatchNormArrays<T> arrays) : a_(arrays) {}

    void reserve(Index rows) override {
        const Index channels = this->input.columns;
        rows_ = rows;
        mean_.reserve(channels);
        variance_.reserve(channels);
        gradients_.reserve(2 * channels);
    }
    void prepare(Index part, Index, Index) override {
        if (a_.training || part > 0) return;
        for (Index c = 0; c < this->input.columns; ++c) {
            mean_.data()[c] = double(a_.running_mean[c]);
            variance_.data()[c] = double(a_.running_var[c]);
        }
    }
    void forward(Region r) override {
        const Index c = r.first_column;
        const T* x = this->input.at(r.first_row, c);
        if (a_.training) kernels<T>().batch_norm.statistics(x, mean_.data() + c, variance_.data() + c, sizes(r));
        kernels<T>().batch_norm.forward(x, mean_.data() + c, variance_.data() + c, from(a_.weight.value, c),
                                        from(a_.bias.value, c), this->output.at(r.first_row, c), sizes(r), a_.eps);
    }
    void backward(Region r, Matrix<T> gradient, const Learner<T>& learner) override {
        const Index c = r.first_column;
        T* own = gradients_.data();
        T* grad_weight = from(learner.whole() ? a_.weight.place : own, c);
        T* grad_bias = from(learner.whole() ? a_.bias.place : own + this->input.columns, c);
        const bool learns = a_.weight.learns();
        T* g = gradient.at(r.first_row, c);
        kernels<T>().batch_norm.backward(this->input.at(r.first_row, c), g, mean_.data() + c, variance_.data() + c,
                                         from(a_.weight.value, c), g, learns ? grad_weight : nullptr,
                                         learns ? grad_bias : nullptr, sizes(r), a_.eps, a_.training, T(0));
        if (!learns) return;
        learner.learn(a_.weight, c, r.columns(), grad_weight);
        learner.learn(a_.bias, c, r.columns(), grad_bias);
    }
    // The running statistics move once the loss is known to be in order.
    void finish() override {
        if (!a_.training) return;
        kernels<T>().batch_norm.move(a_.running_mean, a_.running_var, mean_.data(), variance_.data(),
                                     {rows_, this->input.columns, 1, this->input.stride}, a_.momentum);
        ++*a_.num_batches_tracked;
    }
    // In evaluation, makes output = this(x weight^T + bias) a plain product: weight (out, in). Leaves it, and returns
    // false, where weights would become too large or too small for their digits.
    bool fold_into(T* weight, T* bias, Index in, Index out) const {
        for (Index c = 0; c < out; ++c) {
            for (Index k = 0; k < in; ++k) {
                const double w = double(weight[c * in + k]), folded = std::fabs(w * scale(c));
                const bool keeps_digits = folded >= std::numeric_limits<T>::min() && folded <= largest;
                if (w != 0 && scale(c) != 0 && !keeps_digits) return false;
            }
            if (!(std::fabs(folded_bias(bias[c], c)) <= largest)) return false;
        }
        for (Index c = 0; c < out; ++c) {
            for (Index k = 0; k < in; ++k) weight[c * in + k] = T(double(weight[c * in + k]) * scale(c));
            bias[c] = T(folded_bias(bias[c], c));
        }
        return true;
    }
    // Also in evaluation: the gradients of weight and bias are sums over all rows.
    bool mixes_rows() const override { return true; }
    bool needs_two_rows() const override { return a_.training; }
    void collect(std::vector<Parameter<T>*>& parameters) override {
        if (a_.weight.learns()) parameters.insert(parameters.end(), {&a_.weight, &a_.bias});
    }

 private:
    static constexpr double largest = double(std::numeric_limits<T>::max()) / 2;  // room for the sum

    double scale(Index c) const {
        return (a_.weight.value ? double(a_.weight.value[c]) : 1.0) / std::sqrt(double(a_.running_var[c]) + a_.eps);
    }
    double folded_bias(T bias, Index c) const {
        const double shift = a_.bias.value ? double(a_.bias.value[c]) : 0.0;
        return (double(bias) - double(a_.running_mean[c])) * scale(c) + shift;
    }
    BatchNormSizes sizes(Region r) const { return {r.rows(), r.columns(), 1, this->input.stride}; }
    template <class P>
    static P* from(P* array, Index first) {
        return array ? array + first : nullptr;
    }

    BatchNormArrays<T> a_;
    Buffer<double> mean_, variance_;
    Buffer<T> gradients_;
    Index rows_ = 0;
};

// The start of a Residual: goes on with a copy of its input, which nobody writes into, for the end to add.
template <class T>
class BranchOperation final : public Operation<T> {
 public:
    void reserve(Index rows) override { kept_.reserve(rows * this->input.columns); }
    void forward(Region r) override {
        const std::size_t bytes = static_cast<std::size_t>(r.columns()) * sizeof(T);
        for (Index n = r.first_row; n < r.last_row; ++n) {
            std::memcpy(this->output.at(n, r.first_column), this->input.at(n, r.first_column), bytes);
        }
    }
    void backward(Region r, Matrix<T> gradient, const Learner<T>&) override {
        for (Index n = r.first_row; n < r.last_row; ++n) {
            T* g = gradient.at(n, r.first_column);
            const T* kept = at(n + r.offset, r.first_column);
            for (Index c = 0; c < r.columns(); ++c) g[c] += kept[c];
        }
    }
    // The gradient at the end, which is also that of the input beside what comes between them.
    void keep(Region r, Matrix<T> gradient) {
        const std::size_t bytes = static_cast<std::size_t>(r.columns()) * sizeof(T);
        for (Index n = r.first_row; n < r.last_row; ++n) {
            std::memcpy(at(n + r.offset, r.first_column), gradient.at(n, r.first_column), bytes);
        }
    }

 private:
    T* at(Index row, Index column) const { return kept_.data() + row * this->input.columns + column; }

    Buffer<T> kept_;
};

// The end of a Residual: adds what its start was given.
template <class T>
class JoinOperation final : public Operation<T> {
 public:
    explicit JoinOperation(BranchOperation<T>& start) : start_(start) {}

    void forward(Region r) override {
        for (Index n = r.first_row; n < r.last_row; ++n) {
            const T *x = this->input.at(n, r.first_column), *given = start_.input.at(n, r.first_column);
            T* y = this->output.at(n, r.first_column);
            for (Index c = 0; c < r.columns(); ++c) y[c] = given[c] + x[c];
        }
    }
    void backward(Region r, Matrix<T> gradient, const Learner<T>&) override { start_.keep(r, gradient); }

 private:
    BranchOperation<T>& start_;
};

}  // namespace pynet
