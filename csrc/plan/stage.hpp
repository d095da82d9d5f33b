// A stage of a plan: a Linear and the operations that follow it, up to where work has to be divided anew.
#pragma once

#include "plan/dense_by_columns.hpp"
#include "plan/dense_by_rows.hpp"
#include "plan/operation.hpp"
#include "plan/row_operation.hpp"

namespace pynet {

// It has a Linear and operations, or operations alone, or works on whole rows, as SoftMax does.
template <class T>
class Stage {
 public:
    Index in = 0, out = 0;
    std::unique_ptr<Dense<T>> dense;
    std::unique_ptr<DenseByColumns<T>> by_columns;
    std::unique_ptr<DenseByRows<T>> by_rows;
    std::unique_ptr<RowOperation<T>> row_operation;
    std::vector<std::unique_ptr<Operation<T>>> operations;
    bool relu_in_product = false;  // the first operation is a ReLU whose forward the product does
    bool relu_done_back = false;   // and its backward the next stage's product

    bool is_reached = false;        // by the way back: it, or one before it, learns
    bool backward_is_done = false;  // by the criterion, through this SoftMax

    bool is_first = false;      // its input is the batch itself
    bool copies_input = false;  // which operations may not write
    bool without_gaps = false;  // its output's rows lie together, as a criterion and a SoftMax want them

    Index parts = 1;  // of the work by columns
    Matrix<T> input, output, gradient;
    PartialSums<T> input_gradient;

    // Lays out its matrices, for so many rows at a time, behind the input.
    void arrange(Matrix<T> from, Index rows) {
        input = from;
        const Index panel = kernels<T>().product.panel;
        output = from;
        if (dense) {
            const Index stride = without_gaps ? out : round_up(out, panel) + kernels<T>().product.lanes;
            output = {values_.reserve(rows * stride), out, stride};
            dense->input = from;
            dense->output = output;
        } else if (row_operation || copies_input) {
            output = {values_.reserve(rows * out), out, out};
        }
        copies_.resize(operations.size());
        for (std::size_t i = 0; i < operations.size(); ++i) {
            operations[i]->input = output;
            if (!operations[i]->overwrites()) output.data = copies_[i].reserve(rows * output.stride);
            operations[i]->output = output;
        }
        if (!row_operation) return;
        row_operation->input = from;
        row_operation->output = output;
        row_operation->reads_batch = is_first;
    }
    // The batch itself, which nobody writes.
    void read(const T* batch) {
        input.data = const_cast<T*>(batch);
        if (dense) dense->input.data = input.data;
        if (row_operation) row_operation->input.data = input.data;
    }
    // A place for the gradient at its output, where it is a sum of parts.
    void arrange_gradient(Index rows) { gradient = {gradients_.reserve(rows * output.stride), out, output.stride}; }

    // What it does cannot be divided by columns.
    bool mixes_columns() const {
        for (const auto& operation : operations) {
            if (operation->mixes_columns()) return true;
        }
        return false;
    }

    void prepare(Index part, Index of, Index rows) {
        for (auto& operation : operations) operation->prepare(part, of, rows);
    }

    // What comes before the operations, by rows.
    void forward_rows(Chunk rows) {
        const Index from = is_first ? rows.first : rows.base;
        if (dense) by_rows->forward(from, from + rows.count, rows.base);
        if (row_operation) row_operation->forward(rows);
        if (copies_input) copy_input(from, rows.region(out));
    }
    // The same by columns: some of them, of so many rows. Whole rows have been worked on by then.
    void forward_columns(Index rows, Index first, Index last) {
        if (dense) by_columns->forward(first, last);
        if (copies_input) copy_input(0, {0, rows, first, last});
    }

    // The same back, once the gradient at the output is there.
    void backward_rows(Chunk rows, typename DenseByRows<T>::Sums sums) {
        const Index from = is_first ? rows.first : rows.base;
        if (dense) by_rows->backward(sums, from, from + rows.count, rows.base, gradient, input_gradient.first);
        backward_whole_rows(rows);
    }
    void backward_whole_rows(Chunk rows) {
        if (row_operation && !backward_is_done) row_operation->backward(rows);
    }

    void operate(Region region) {
        for (std::size_t i = relu_in_product ? 1 : 0; i < operations.size(); ++i) operations[i]->forward(region);
    }
    void operate_back(Region region, const Learner<T>& learner) {
        for (std::size_t i = operations.size(); i-- > (relu_done_back ? 1 : 0);) {
            operations[i]->backward(region, gradient, learner);
        }
    }

    // Takes copies of its arrays, and a BatchNorm that follows into them.
    void freeze() {
        if (!dense) return;
        Parameter<T>&weight = dense->weight, &bias = dense->bias;
        T* own_weight = frozen_weight_.reserve(weight.size);
        T* own_bias = frozen_bias_.reserve(out);
        std::memcpy(own_weight, weight.value, static_cast<std::size_t>(weight.size) * sizeof(T));
        if (bias.value) std::memcpy(own_bias, bias.value, static_cast<std::size_t>(out) * sizeof(T));
        weight.value = own_weight;
        bias.value = own_bias;
        if (!operations.empty()) {
            auto* norm = dynamic_cast<BatchNormOperation<T>*>(operations.front().get());
            if (norm && norm->fold_into(own_weight, own_bias, in, out)) {
                operations.erase(operations.begin());
                take_relu();
            }
        }
        by_rows->reserve(0, 0, false);
        by_rows->pack_weight(0, 1, false);
    }
    // Lets the product do a ReLU that comes next.
    void take_relu() {
        if (!dense || operations.empty() || !operations.front()->is_relu()) return;
        dense->floor = 0;
        relu_in_product = true;
    }

 private:
    void copy_input(Index from, Region to) const {
        const std::size_t bytes = static_cast<std::size_t>(to.columns()) * sizeof(T);
        for (Index n = 0; n < to.rows(); ++n) {
            std::memcpy(values_.data() + (to.first_row + n) * out + to.first_column,
                        input.at(from + n, to.first_column), bytes);
        }
    }

    Buffer<T> values_, gradients_, frozen_weight_, frozen_bias_;
    std::vector<Buffer<T>> copies_;
};

}  // namespace pynet
