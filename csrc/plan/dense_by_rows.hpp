// A Linear whose work is split by the rows of the batch: for batches that outweigh the weights. These are packed at the
// start of a step; each part has a gradient of its own, and the parameters move by their sum at the end.
#pragma once

#include "plan/dense.hpp"

namespace pynet {

template <class T>
class DenseByRows {
 public:
    explicit DenseByRows(Dense<T>& dense) : d_(dense) {}

    // Each part gets at most `rows` at a time.
    void reserve(Index rows, Index parts, bool learning) {
        const Index panel = product().panel;
        forward_panels_.reserve(d_.in * round_up(d_.out, panel));
        bias_.reserve(round_up(d_.out, panel));
        if (!learning) return;
        if (!d_.first) backward_panels_.reserve(d_.out * round_up(d_.in, panel));
        parts_ = parts;
        weight_gradients_.reserve(parts * d_.weight.size);
        bias_gradients_.reserve(parts * d_.out);
        bias_sums_.reserve(d_.out);
        input_panels_.resize(static_cast<std::size_t>(parts));
        for (Buffer<T>& panels : input_panels_) panels.reserve(rows * panel);
    }

    // A part of the weights, as the other functions read them.
    void pack_weight(Index part, Index parts, bool learning) {
        const Index panel = product().panel;
        const Index first = cut(d_.out, part, parts, panel), last = cut(d_.out, part + 1, parts, panel);
        if (first == last) return;
        const T* weight = d_.weight.value + first * d_.in;
        product().pack_transposed(weight, d_.in, last - first, d_.in, 0, d_.in, forward_panels_.data() + first * d_.in);
        for (Index n = first; n < last; ++n) bias_.data()[n] = d_.bias.value ? d_.bias.value[n] : T(0);
        if (!learning || d_.first) return;
        for (Index k = 0; k < d_.in; k += panel) {
            const Index columns = d_.in - k < panel ? d_.in - k : panel;
            product().pack(weight + k, d_.in, last - first, columns,
                           backward_panels_.data() + k * d_.out + first * packed_width<T>(columns));
        }
    }

    // Rows [first, last) of the input give rows of the output, from `to` on.
    void forward(Index first, Index last, Index to) const { forward_columns(first, last, to, 0, d_.out); }
    // Some columns of them; first_column is a multiple of a panel's width.
    void forward_columns(Index first, Index last, Index to, Index first_column, Index last_column) const {
        product().multiply(
            {d_.input.at(first, 0), d_.input.stride, 1}, last - first, d_.in,
            {forward_panels_.data() + first_column * d_.in, last_column - first_column, 0, d_.in * product().panel},
            {d_.output.at(to, first_column), d_.output.stride, bias_.data() + first_column, d_.floor});
    }

    // Where the rows of a chunk add their gradients, or, as the first, begin them: each part has one of the bias.
    struct Sums {
        Index part, sum;
        bool begin_bias, begin_weight;
    };
    // From the gradient of those rows of the output, from `at` on: the gradient at the input, and what they add to
    // gradient number `sum` of the weights and number `part` of the bias.
    void backward(Sums to, Index first, Index last, Index at, Matrix<T> gradient, Matrix<T> input_gradient) {
        const Index rows = last - first, panel = product().panel;
        T* own = weight_gradients_.data() + to.sum * d_.weight.size;
        T* input = input_panels_[static_cast<std::size_t>(to.part)].data();
        const T* g = gradient.at(at, 0);
        if (!d_.first) {
            product().multiply({g, gradient.stride, 1}, rows, d_.out,
                               {backward_panels_.data(), d_.in, 0, d_.out * panel},
                               {input_gradient.at(at, 0), input_gradient.stride, nullptr, -T(INFINITY), false,
                                d_.gated ? d_.input.at(first, 0) : nullptr});
        }
        if (!d_.learns()) return;
        for (Index k = 0; k < d_.in; k += panel) {
            const Index columns = d_.in - k < panel ? d_.in - k : panel;
            product().pack(d_.input.at(first, k), d_.input.stride, rows, columns, input);
            product().multiply({g, 1, gradient.stride}, d_.out, rows, {input, columns, 0, 0},
                               {own + k, d_.in, nullptr, -T(INFINITY), !to.begin_weight});
        }
        if (d_.bias.value) {
            sum_rows(g, gradient.stride, rows, d_.out, bias_gradients_.data() + to.part * d_.out, !to.begin_bias);
        }
    }

    // Adds up `sums` gradients of a part of the parameters, and moves them.
    void learn(Index part, Index parts, Index sums, const Learner<T>& learner) {
        if (!d_.learns()) return;
        const Index panel = product().panel;
        const Index first = cut(d_.out, part, parts, panel), last = cut(d_.out, part + 1, parts, panel);
        learn_weight(first * d_.in, last * d_.in, sums, learner);
        if (!d_.bias.value || first == last) return;
        T* bias = learner.whole() ? d_.bias.place : bias_sums_.data();
        for (Index n = first; n < last; ++n) {
            double sum = 0;
            for (Index of = 0; of < parts_; ++of) sum += bias_gradients_.data()[of * d_.out + n];
            bias[n] = T(sum);
        }
        learner.learn(d_.bias, first, last - first, bias + first);
    }

 private:
    static const Product<T>& product() { return kernels<T>().product; }

    void learn_weight(Index first, Index last, Index sums, const Learner<T>& learner) const {
        constexpr Index piece = 4096;  // stays in the first cache
        const Parameter<T>& p = d_.weight;
        for (Index i = first; i < last; i += piece) {
            const Index count = last - i < piece ? last - i : piece;
            T* own = weight_gradients_.data() + i;
            T* sum = learner.whole() ? p.place + i : own;
            if (sums > 1 || learner.whole()) product().add_up(own, sums, p.size, 0, 1, count, sum);
            learner.learn(p, i, count, sum);
        }
    }

    Dense<T>& d_;
    Index parts_ = 0;
    Buffer<T> forward_panels_, backward_panels_, bias_;
    Buffer<T> weight_gradients_, bias_sums_;  // the weights' one after another, by part
    Buffer<double> bias_gradients_;           // likewise
    std::vector<Buffer<T>> input_panels_;     // one panel for each part
};

}  // namespace pynet
