// A Linear whose work is split by its outputs: for networks whose weights outweigh the batch. Each part reads, moves
// and keeps in its cache some rows of the weights, and the weights are used where they lie.
#pragma once

#include "plan/dense.hpp"

namespace pynet {

template <class T>
class DenseByColumns {
 public:
    explicit DenseByColumns(Dense<T>& dense) : d_(dense) {}

    void reserve(Index rows, Index parts, bool learning) {
        rows_ = rows;
        if (rows > 1) input_panels_.reserve(round_up(rows, product().panel) * d_.in);
        if (!learning) return;
        if (packs_columns()) input_columns_.reserve(rows * round_up(d_.in, product().panel));
        scratch_.resize(static_cast<std::size_t>(parts));
        for (Scratch& s : scratch_) {
            if (rows > 1) s.gradient.reserve(gradient_rows() * round_up(d_.in, product().panel));
            if (rows > short_batch) s.factors.reserve(gradient_rows() * rows);
            if (!d_.first && rows > 1) s.weight.reserve(weight_panel_size());
            if (d_.bias.value) s.bias.reserve(d_.out);
            if (d_.bias.value && rows > short_batch) s.sums.reserve(d_.out);
        }
    }

    // Packs features [first, last) of the input, as soon as they are there; first is a multiple of a panel's width.
    void pack_input(Index first, Index last, bool learning) {
        if (rows_ == 1) return;
        const T* x = d_.input.data;
        product().pack_transposed(x, d_.input.stride, rows_, d_.in, first, last, input_panels_.data());
        if (learning && packs_columns()) {
            product().pack(x + first, d_.input.stride, rows_, last - first, input_columns_.data() + first * rows_);
        }
    }

    // Outputs [first, last) of all rows.
    void forward(Index first, Index last) const {
        const T* bias = d_.bias.value;
        if (rows_ == 1) {
            return product().dot_rows(d_.weight.value + first * d_.in, d_.input.data, last - first, d_.in,
                                      {d_.output.data + first, 1, bias ? bias + first : nullptr, d_.floor});
        }
        const Panels<T> input{input_panels_.data(), rows_, 0, d_.in * product().panel};
        const Index step = round_up(elements_in_cache / d_.in + 1, 84);  // 84: whole tiles of 14 and of 6 rows
        for (Index n = first; n < last; n += step) {
            product().multiply_transposed({d_.weight.value + n * d_.in, d_.in, 1}, smaller(step, last - n), d_.in,
                                          input,
                                          {d_.output.data + n, d_.output.stride, bias ? bias + n : nullptr, d_.floor});
        }
    }

    // Whether the gradient at the input is computed by the input's columns, each whole, before any weight moves:
    // otherwise each part of the outputs adds to it, and reads its weights once for that and for moving them.
    bool gradient_by_inputs() const { return rows_ > short_batch; }

    // The first: the gradient at inputs [first, last), multiples of a panel's width, from that at all outputs.
    void input_gradient(Index part, Index first, Index last, Matrix<T> gradient, Matrix<T> to) {
        T* panels = scratch_[static_cast<std::size_t>(part)].weight.data();
        for (Index k = first; k < last; k += packed_columns) {
            const Index columns = smaller(packed_columns, last - k);
            for (Index n = 0; n < d_.out; n += weight_rows) {
                const Index count = smaller(weight_rows, d_.out - n);
                add_input_gradient(panels, n, count, k, columns, gradient, to, n > 0);
            }
        }
    }

    // From the gradient at outputs [first, last): what they add to the gradient at the input, unless that is computed
    // by inputs, then their parameters.
    void backward(Index part, Index first, Index last, Matrix<T> gradient, Matrix<T> input_gradient,
                  const Learner<T>& learner) {
        Scratch& scratch = scratch_[static_cast<std::size_t>(part)];
        for (Index begin = first; begin < last; begin += block_rows()) {
            const Index end = smaller(begin + block_rows(), last);
            if (!d_.first && !gradient_by_inputs()) {
                add_input_gradient(scratch, begin, end, gradient, input_gradient, begin > first);
            }
            for (Index n = begin; n < end && d_.learns(); n += gradient_rows()) {
                learn_weight(scratch, n, smaller(gradient_rows(), end - n), gradient, learner);
            }
        }
        if (!d_.bias.learns()) return;
        T* sums = learner.whole() ? d_.bias.place : scratch.bias.data();
        const T* g = gradient.data + first;
        if (rows_ <= short_batch) {
            product().sum_rows(g, gradient.stride, rows_, last - first, sums + first, false);
        } else {
            sum_rows(g, gradient.stride, rows_, last - first, scratch.sums.data(), false);
            for (Index n = first; n < last; ++n) sums[n] = T(scratch.sums.data()[n - first]);
        }
        learner.learn(d_.bias, first, last - first, sums + first);
    }

 private:
    // Of one part: what it needs while it works on a block of rows of the weights.
    struct Scratch {
        Buffer<T> gradient, factors, weight, bias;
        Buffer<double> sums;
    };

    // Measured. Up to so many rows, the gradient at the input and the update share one pass over the weights.
    static constexpr Index short_batch = 64;
    static constexpr Index elements_in_cache = 1 << 18;  // 1 MB of float
    static constexpr Index elements_at_once = 1 << 12;   // of a single row's weights, which are read twice
    static constexpr Index packed_columns = 128;         // of weights, at a time
    static constexpr Index weight_rows = 512;            // likewise, for longer batches

    static const Product<T>& product() { return kernels<T>().product; }
    static Index smaller(Index a, Index b) { return a < b ? a : b; }

    // Whether the weights' gradient reads packed columns of the input: where it cannot, or for many rows should not,
    // read it as it lies, for every row of it may lie in a page of its own.
    bool packs_columns() const { return rows_ > 1 && (rows_ > short_batch || !d_.input_is_padded()); }

    // Rows of weights that stay in the cache between the gradient at the input and their own.
    Index block_rows() const { return rows_ == 1 ? gradient_rows() : 2 * gradient_rows(); }
    // Rows whose gradient is computed at a time, and then moved.
    Index gradient_rows() const {
        if (rows_ > short_batch) return 2 * product().panel;
        if (rows_ > 1) return 28;
        return d_.first ? d_.out : elements_at_once / d_.in + 1;
    }
    Index weight_panel_size() const { return (gradient_by_inputs() ? weight_rows : block_rows()) * packed_columns; }

    void add_input_gradient(Scratch& s, Index first, Index last, Matrix<T> g, Matrix<T> to, bool add) const {
        if (rows_ == 1) {
            const T* weight = d_.weight.value + first * d_.in;
            return product().add_rows(weight, g.data + first, last - first, d_.in, to.data, add);
        }
        for (Index k = 0; k < d_.in; k += packed_columns) {
            add_input_gradient(s.weight.data(), first, last - first, k, smaller(packed_columns, d_.in - k), g, to, add);
        }
    }
    // What `count` outputs from n on add to `columns` of it from k on, or begin it with.
    void add_input_gradient(T* panels, Index n, Index count, Index k, Index columns, Matrix<T> g, Matrix<T> to,
                            bool add) const {
        product().pack(d_.weight.value + n * d_.in + k, d_.in, count, columns, panels);
        product().multiply({g.data + n, g.stride, 1}, rows_, count, {panels, columns, 0, count * product().panel},
                           {to.data + k, to.stride, nullptr, -T(INFINITY), add});
    }

    void learn_weight(Scratch& s, Index first, Index count, Matrix<T> g, const Learner<T>& learner) const {
        const T* factors = g.data + first;
        if (rows_ == 1) return learner.learn_outer(d_.weight, first, count, d_.in, factors, d_.input.data);
        const Index start = first * d_.in;
        T* to = learner.whole() ? d_.weight.place + start : s.gradient.data();
        if (rows_ > short_batch) {
            product().pack(factors, g.stride, rows_, count, s.factors.data());
            for (Index n = 0; n < count; n += product().panel) {
                const Index rows = smaller(product().panel, count - n);
                product().multiply({s.factors.data() + n * rows_, 1, packed_width<T>(rows)}, rows, rows_, columns(),
                                   {to + n * d_.in, d_.in});
            }
        } else {
            product().multiply({factors, 1, g.stride}, count, rows_, columns(), {to, d_.in});
        }
        learner.learn(d_.weight, start, count * d_.in, to);
    }
    // The input, (rows, in).
    Panels<T> columns() const {
        if (!packs_columns()) return {d_.input.data, d_.in, d_.input.stride, product().panel};
        return {input_columns_.data(), d_.in, 0, rows_ * product().panel};
    }

    Dense<T>& d_;
    Index rows_ = 0;
    Buffer<T> input_panels_, input_columns_;
    std::vector<Scratch> scratch_;
};

}  // namespace pynet
