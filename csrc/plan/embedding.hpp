// Embedding in a plan: the numbers in its input are indices.
#pragma once

#include <atomic>
#include <cmath>

#include "plan/row_operation.hpp"

namespace pynet {

template <class T>
class EmbeddingOperation final : public RowOperation<T> {
 public:
    EmbeddingOperation(Parameter<T> weight, Index dim, Index padding)
        : weight_(weight), embeddings_(weight.size / dim), dim_(dim), padding_(padding) {}

    // An index was none. There is an output all the same, which may not be used.
    std::atomic<bool> refuses{false};

    void reserve(Index rows) override {
        rows_ = rows;
        indices_.reserve(rows * this->input.columns);
        if (!learns()) return;
        order_.reserve(rows * this->input.columns);
        starts_.reserve(embeddings_ + 1);
        gradient_.reserve(weight_.size);
    }
    void forward(Chunk rows) override {
        const Index each = this->input.columns;
        const T* x = this->input_of(rows);
        Index* indices = indices_.data() + rows.first * each;
        bool wrong = false;
        for (Index i = 0; i < rows.count * each; ++i) {
            const bool fits = x[i] >= 0 && x[i] < T(embeddings_) && x[i] == std::floor(x[i]);
            indices[i] = fits ? Index(x[i]) : 0;
            wrong |= !fits;
        }
        if (wrong) refuses = true;
        kernels<T>().embedding.forward(indices, weight_.value, this->output_of(rows), rows.count * each, dim_);
    }
    void backward(Chunk rows) override {
        const Index each = this->input.columns;
        if (T* to = this->input_gradient_of(rows)) {
            std::memset(to, 0, static_cast<std::size_t>(rows.count * each) * sizeof(T));
        }
        // All indices are there by now: whoever has the first rows sorts them, before anybody learns.
        if (!learns() || rows.first > 0) return;
        kernels<T>().embedding.sort(indices_.data(), starts_.data(), order_.data(), rows_ * each, embeddings_);
    }
    bool learns() const override { return weight_.learns(); }
    void learn(Index, Index part, Index parts, const Learner<T>& learner) override {
        const Index first = cut(embeddings_, part, parts, 1), last = cut(embeddings_, part + 1, parts, 1);
        const Index begin = first * dim_, size = (last - first) * dim_;
        T* to = (learner.whole() ? weight_.place : gradient_.data()) + begin;
        kernels<T>().embedding.backward({starts_.data() + first, order_.data()}, this->gradient.data, to, last - first,
                                        dim_, padding_ - first, T(0));
        learner.learn(weight_, begin, size, to);
    }
    void collect(std::vector<Parameter<T>*>& parameters) override {
        if (learns()) parameters.push_back(&weight_);
    }

 private:
    Parameter<T> weight_;
    Index embeddings_, dim_, padding_, rows_ = 0;
    Buffer<Index> indices_, order_, starts_;
    Buffer<T> gradient_;
};

}  // namespace pynet
