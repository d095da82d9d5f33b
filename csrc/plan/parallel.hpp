// Parallel in a plan: its branches one after another. Each begins with a copy of the input, which what comes in it may
// write into, and what each has made of it stays where it is until all are put together.
#pragma once

#include "plan/row_operation.hpp"

namespace pynet {

template <class T>
class SwitchOperation;
template <class T>
class MergeOperation;

// Where the first branch begins.
template <class T>
class ForkOperation final : public RowOperation<T> {
 public:
    std::vector<SwitchOperation<T>*> switches;
    MergeOperation<T>* merge = nullptr;
    const Index columns;
    bool after_learning = false;  // something that learns stands before it
    bool learns_beside = false;   // or in a branch

    explicit ForkOperation(Index columns_) : columns(columns_) {}

    void forward(Chunk rows) override { copy_to(this->output_of(rows), rows); }
    // What all branches have handed back.
    void backward(Chunk rows) override {
        T* to = this->input_gradient_of(rows);
        if (!to) return;
        const Index size = rows.count * this->input.columns;
        const T* first = this->gradient_of(rows);
        std::memcpy(to, first, static_cast<std::size_t>(size) * sizeof(T));
        for (const SwitchOperation<T>* other : switches) {
            const T* from = other->gradient_of(rows);
            for (Index i = 0; i < size; ++i) to[i] += from[i];
        }
    }
    bool comes_after_learning(bool input_does) override { return after_learning = learns_beside = input_does; }

    void copy_to(T* to, Chunk rows) const {
        std::memcpy(to, this->input_of(rows), static_cast<std::size_t>(rows.count * this->input.columns) * sizeof(T));
    }
};

// Where one branch ends, whose output is the input here, and the next begins.
template <class T>
class SwitchOperation final : public RowOperation<T> {
 public:
    explicit SwitchOperation(ForkOperation<T>& fork) : fork_(fork) {}

    void forward(Chunk rows) override { fork_.copy_to(this->output_of(rows), rows); }
    void backward(Chunk rows) override { fork_.merge->hand_back(*this, rows); }
    bool comes_after_learning(bool input_does) override {
        fork_.learns_beside = fork_.learns_beside || input_does;
        return fork_.after_learning;
    }

 private:
    ForkOperation<T>& fork_;
};

// Where the last branch ends, and all outputs are added, or put beside each other.
template <class T>
class MergeOperation final : public RowOperation<T> {
 public:
    MergeOperation(ForkOperation<T>& fork, bool adds) : fork_(fork), adds_(adds) {}

    void forward(Chunk rows) override {
        Index column = 0;
        for (const SwitchOperation<T>* end : fork_.switches) column = take(*end, column, rows);
        take(*this, column, rows);
    }
    void backward(Chunk rows) override { hand_back(*this, rows); }
    bool comes_after_learning(bool input_does) override { return fork_.learns_beside || input_does; }

    // Gives the end of a branch its part of the gradient.
    void hand_back(const RowOperation<T>& end, Chunk rows) const {
        T* to = end.input_gradient_of(rows);
        if (!to) return;
        const Index wide = end.input.columns;
        const T* from = this->gradient.at(rows.base, adds_ ? 0 : column_of(end));
        for (Index n = 0; n < rows.count; ++n) {
            std::memcpy(to + n * wide, from + n * this->gradient.stride, static_cast<std::size_t>(wide) * sizeof(T));
        }
    }

 private:
    // Returns the column behind those of this branch.
    Index take(const RowOperation<T>& end, Index column, Chunk rows) const {
        const Index wide = end.input.columns;
        const T* x = end.input_of(rows);
        for (Index n = 0; n < rows.count; ++n, x += wide) {
            T* y = this->output.at(rows.base + n, column);
            if (adds_ && &end != first()) {
                for (Index c = 0; c < wide; ++c) y[c] += x[c];
            } else {
                std::memcpy(y, x, static_cast<std::size_t>(wide) * sizeof(T));
            }
        }
        return adds_ ? 0 : column + wide;
    }
    Index column_of(const RowOperation<T>& end) const {
        Index column = 0;
        for (const SwitchOperation<T>* other : fork_.switches) {
            if (other == &end) break;
            column += other->input.columns;
        }
        return column;
    }
    const RowOperation<T>* first() const {
        return fork_.switches.empty() ? static_cast<const RowOperation<T>*>(this) : fork_.switches.front();
    }

    ForkOperation<T>& fork_;
    bool adds_;
};

}  // namespace pynet
