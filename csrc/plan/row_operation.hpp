// Operations of a plan that work on whole rows, each by itself, and may give rows of another length.
#pragma once

#include <vector>

#include "kernels/kernels.hpp"
#include "plan/matrix.hpp"
#include "plan/optimizer.hpp"

namespace pynet {

// Rows lie without gaps.
template <class T>
class RowOperation {
 public:
    virtual ~RowOperation() = default;

    // Before a step of so many rows: memory.
    virtual void reserve(Index) {}

    virtual void forward(Chunk rows) = 0;
    // The gradient at the input, where it has a place, from that at the output.
    virtual void backward(Chunk rows) = 0;

    virtual bool is_softmax() const { return false; }

    // Whether anything that learns stands before its output, if something does, or not, before its input.
    virtual bool comes_after_learning(bool input_does) { return input_does; }

    // It has parameters: after backward, which part of the work learns what from all rows at once.
    virtual bool learns() const { return false; }
    virtual void learn(Index /*rows*/, Index /*part*/, Index /*parts*/, const Learner<T>&) {}
    virtual void collect(std::vector<Parameter<T>*>&) {}

    Matrix<T> input, output, gradient, input_gradient;
    bool reads_batch = false;  // its input is the batch itself

    // The first of these rows.
    const T* input_of(Chunk rows) const { return input.at(reads_batch ? rows.first : rows.base, 0); }
    T* output_of(Chunk rows) const { return output.at(rows.base, 0); }
    const T* gradient_of(Chunk rows) const { return gradient.at(rows.base, 0); }
    T* input_gradient_of(Chunk rows) const { return input_gradient.data ? input_gradient.at(rows.base, 0) : nullptr; }
};

// SoftMax or LogSoftMax.
template <class T>
class SoftmaxOperation final : public RowOperation<T> {
 public:
    template <class Kernel>
    SoftmaxOperation(const Kernel& kernel, bool is_softmax)
        : forward_(kernel.forward), backward_(kernel.backward), is_softmax_(is_softmax) {}

    void forward(Chunk rows) override {
        forward_(this->input_of(rows), this->output_of(rows), rows.count, this->input.columns);
    }
    void backward(Chunk rows) override {
        T* to = this->input_gradient_of(rows);
        if (to) backward_(this->input_of(rows), this->gradient_of(rows), to, rows.count, this->input.columns);
    }
    bool is_softmax() const override { return is_softmax_; }

 private:
    void (*forward_)(const T*, T*, Index, Index);
    void (*backward_)(const T*, const T*, T*, Index, Index);
    bool is_softmax_;
};

// Columns: some of the input's, in any order.
template <class T>
class ColumnsOperation final : public RowOperation<T> {
 public:
    explicit ColumnsOperation(std::vector<Index> columns) : columns_(std::move(columns)) {}

    void forward(Chunk rows) override {
        const T* x = this->input_of(rows);
        T* y = this->output_of(rows);
        for (Index n = 0; n < rows.count; ++n, x += this->input.columns) {
            for (const Index column : columns_) *y++ = x[column];
        }
    }
    void backward(Chunk rows) override {
        T* dx = this->input_gradient_of(rows);
        if (!dx) return;
        const T* dy = this->gradient_of(rows);
        const Index wide = this->input.columns;
        std::memset(dx, 0, static_cast<std::size_t>(rows.count * wide) * sizeof(T));
        for (Index n = 0; n < rows.count; ++n, dx += wide) {
            for (const Index column : columns_) dx[column] += *dy++;
        }
    }

 private:
    std::vector<Index> columns_;
};

}  // namespace pynet
