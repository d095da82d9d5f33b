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
            s.gradient.reserve(gradient_rows() * round_up(d_.in, product().panel));
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

    // From the gradient at outputs [first, last): what they add to the gradient at the input, then their parameters.
    void backward(Index part, Index first, Index last, Matrix<T> gradient, Matrix<T> input_gradient,
                  const Learner<T>& learner) {
        Scratch& scratch = scratch_[static_cast<std::size_t>(part)];
        const bool together = rows_ <= short_batch;  // one pass over the weights for both
        if (!d_.first && !together) add_input_gradient(scratch, first, last, gradient, input_gradient);
        const Index step = gradient_rows();
        for (Index n = first; n < last; n += step) {
            const Index count = smaller(step, last - n);
            if (!d_.first && together) {
                add_input_gradient(scratch, n, n + count, gradient, input_gradient, n > first);
            }
            learn_weight(scratch, n, count, gradient, learner);
        }
        if (!d_.bias.value) return;
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
    static constexpr Index weight_rows = 512;            // of a panel of weights, for longer batches

    static const Product<T>& product() { return kernels<T>().product; }
    static Index smaller(Index a, Index b) { return a < b ? a : b; }

    // Whether the weights' gradient reads packed columns of the input: where it cannot, or for many rows should not,
    // read it as it lies, for every row of it may lie in a page of its own.
    bool packs_columns() const { return rows_ > 1 && (rows_ > short_batch || !d_.input_is_padded()); }

    // Rows of weights whose gradient is computed at a time, and then moved.
    Index gradient_rows() const {
        if (rows_ > short_batch) return 2 * product().panel;
        if (rows_ > 1) return 28;
        return 2048 / d_.in + 1;
    }
    // Columns of them: what fits the first cache, or for longer batches whole rows, which memory likes better.
    Index gradient_columns() const { return rows_ == 1 || rows_ > short_batch || d_.in <= 320 ? d_.in : 256; }
    Index weight_panel_size() const {
        return rows_ <= short_batch ? gradient_rows() * round_up(d_.in, product().panel)
                                    : weight_rows * product().panel;
    }

    void add_input_gradient(Scratch& s, Index first, Index last, Matrix<T> g, Matrix<T> to, bool add) const {
        const T* weight = d_.weight.value + first * d_.in;
        if (rows_ == 1) return product().add_rows(weight, g.data + first, last - first, d_.in, to.data, add);
        product().pack(weight, d_.in, last - first, d_.in, s.weight.data());
        product().multiply({g.data + first, g.stride, 1}, rows_, last - first,
                           {s.weight.data(), d_.in, 0, (last - first) * product().panel},
                           {to.data, to.stride, nullptr, -T(INFINITY), add});
    }
    // All of it, a panel of the input's columns at a time: its sums stay in the cache.
    void add_input_gradient(Scratch& s, Index first, Index last, Matrix<T> g, Matrix<T> to) const {
        for (Index k = 0; k < d_.in; k += product().panel) {
            const Index columns = smaller(product().panel, d_.in - k);
            for (Index n = first; n < last; n += weight_rows) {
                const Index count = smaller(weight_rows, last - n);
                product().pack(d_.weight.value + n * d_.in + k, d_.in, count, columns, s.weight.data());
                product().multiply({g.data + n, g.stride, 1}, rows_, count, {s.weight.data(), columns, 0, 0},
                                   {to.data + k, to.stride, nullptr, -T(INFINITY), n > first});
            }
        }
    }

    void learn_weight(Scratch& s, Index first, Index count, Matrix<T> g, const Learner<T>& learner) const {
        const T* factors = g.data + first;
        const bool long_batch = rows_ > short_batch;
        if (long_batch) product().pack(factors, g.stride, rows_, count, s.factors.data());
        const Index step = gradient_columns();
        for (Index k = 0; k < d_.in; k += step) {
            const Index columns = smaller(step, d_.in - k), start = first * d_.in + k;
            const bool whole = learner.whole();
            T* to = whole ? d_.weight.place + start : s.gradient.data();
            const Index stride = whole ? d_.in : columns;
            const Panels<T> input = input_from(k, columns);
            if (rows_ == 1) {
                product().outer(factors, d_.input.data, count, d_.in, to);
            } else if (long_batch) {
                for (Index n = 0; n < count; n += product().panel) {
                    const Index rows = smaller(product().panel, count - n);
                    product().multiply({s.factors.data() + n * rows_, 1, packed_width<T>(rows)}, rows, rows_, input,
                                       {to + n * stride, stride});
                }
            } else {
                product().multiply({factors, 1, g.stride}, count, rows_, input, {to, stride});
            }
            learner.learn(d_.weight, start, count, columns, d_.in, to, stride);
        }
    }
    Panels<T> input_from(Index column, Index columns) const {
        const Index panel = product().panel;
        if (!packs_columns()) return {d_.input.data + column, columns, d_.input.stride, panel};
        return {input_columns_.data() + column * rows_, columns, 0, rows_ * panel};
    }

    Dense<T>& d_;
    Index rows_ = 0;
    Buffer<T> input_panels_, input_columns_;
    std::vector<Scratch> scratch_;
};

}  // namespace pynet
