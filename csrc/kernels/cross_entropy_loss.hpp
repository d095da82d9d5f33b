// CrossEntropyLoss between scores (logits) and targets: SoftMax, logarithm and likelihood in one, exact at any scale.
#pragma once

#include "exponentials.hpp"

namespace pynet {

// What the classes count, and how sharp the targets are.
template <class T>
struct CrossEntropyLossOptions {
    const T* weight;            // (classes), or null: every class counts 1
    std::int64_t ignore_index;  // rows with this label count nothing
    double label_smoothing;     // this share of every target is spread evenly over the classes
};

// input: (batch, classes) scores.  Targets are rows of probabilities, or one label per row where labels is not null.
// With a[n, k] = weight[k] ((1 - smoothing) target[n, k] + smoothing / classes), 0 in ignored rows:
template <class T>
struct CrossEntropyLoss {
    // sum_nk a[n, k] (-log softmax(input)[n, k]), in double; every row's sum goes to losses[n] unless that is null
    double (*forward)(const T* input, const T* target, const std::int64_t* labels, T* losses, Index batch,
                      Index classes, CrossEntropyLossOptions<T> options);
    // grad_input[n, k] = (softmax(input)[n, k] sum_j a[n, j] - a[n, k]) * scale
    void (*backward)(const T* input, const T* target, const std::int64_t* labels, T* grad_input, Index batch,
                     Index classes, CrossEntropyLossOptions<T> options, double scale);
    // Both at once: the exponentials are computed once.
    double (*forward_backward)(const T* input, const T* target, const std::int64_t* labels, T* grad_input, Index batch,
                               Index classes, CrossEntropyLossOptions<T> options, double scale);
    // sum_n weight[labels[n]] over the rows that are not ignored: what the mean divides by
    double (*total_weight)(const std::int64_t* labels, Index batch, CrossEntropyLossOptions<T> options);
};

namespace PYNET_ISA {

// One row of a: what every class gets, and what the label gets on top.
template <class T>
struct RowTarget {
    const T* probabilities;  // null where the row has a label
    const T* weight;
    Index label;           // -1 where the row has probabilities, or is ignored
    double sharp, spread;  // 1 - smoothing, smoothing / classes

    RowTarget(const T* target, const std::int64_t* labels, Index n, Index classes,
              const CrossEntropyLossOptions<T>& options)
        : probabilities(labels ? nullptr : target + n * classes),
          weight(options.weight),
          label(labels ? labels[n] : -1),
          sharp(1 - options.label_smoothing),
          spread(options.label_smoothing / double(classes)) {
        if (!labels || labels[n] != options.ignore_index) return;
        label = -1;
        sharp = spread = 0;
    }

    bool every_class_counts() const { return probabilities || spread != 0; }
    double of_class(Index k) const {
        return (weight ? double(weight[k]) : 1.0) *
               (probabilities ? sharp * double(probabilities[k]) + spread : spread);
    }
    double of_label() const { return label < 0 ? 0.0 : sharp * (weight ? double(weight[label]) : 1.0); }
};

// The loss of one row with scores x.
template <class T>
double row_loss(const T* x, const RowSummary<T>& row, const RowTarget<T>& a, Index classes) {
    const double maximum = double(row.maximum), log_total = row.log_total;
    double loss = 0;
    if (a.every_class_counts()) {
#pragma omp simd reduction(+ : loss)
        for (Index k = 0; k < classes; ++k) {
            const double share = a.of_class(k);
            // 0 * inf would be NaN where a class that does not count has score -inf.
            loss += share == 0 ? 0.0 : share * (log_total + (maximum - double(x[k])));
        }
    }
    const double share = a.of_label();
    return share != 0 ? loss + share * (log_total + (maximum - double(x[a.label]))) : loss;
}

// What the exponentials of a row are multiplied by, before row_gradient.
template <class T>
T row_factor(const RowSummary<T>& row, const RowTarget<T>& a, double scale) {
    return a.every_class_counts() ? T(1) : T(a.of_label() * scale / row.total());
}

// The gradient of one row where the label alone counts, in place of dx = exp(x - maximum) * factor.
template <class T>
void label_gradient(T* dx, const RowSummary<T>& row, const RowTarget<T>& a, Index classes, double scale) {
    if (a.label < 0) {  // ignored, whatever its scores are
        for (Index k = 0; k < classes; ++k) dx[k] = 0;
        return;
    }
    // p - 1, but where p is near 1 that would be a difference of rounded numbers.
    const double share = a.of_label() * scale;
    dx[a.label] = T(a.label == row.argmax ? -share * (row.others / row.total()) : double(dx[a.label]) - share);
}

// The gradient of one row, in place of dx = exp(x - maximum) * factor.
template <class T>
void row_gradient(T* dx, const RowSummary<T>& row, const RowTarget<T>& a, Index classes, double scale) {
    if (!a.every_class_counts()) return label_gradient(dx, row, a, classes, scale);
    double all = a.of_label();
#pragma omp simd reduction(+ : all)
    for (Index k = 0; k < classes; ++k) all += a.of_class(k);
    const double factor = all / row.total();
    // In double until the end: where the right class has probability 1 - tiny, rounding first would leave 0.
    const double at_label = a.label < 0 ? 0.0 : double(dx[a.label]) * factor - a.of_label() - a.of_class(a.label);
#pragma omp simd
    for (Index k = 0; k < classes; ++k) dx[k] = T((double(dx[k]) * factor - a.of_class(k)) * scale);
    if (a.label >= 0) dx[a.label] = T(at_label * scale);
}

template <class T>
double cross_entropy_loss_forward(const T* input, const T* target, const std::int64_t* labels, T* losses, Index batch,
                                  Index classes, CrossEntropyLossOptions<T> options) {
    return sum_blocks(batch, rows_of(costly_grain, classes), [=](Index begin, Index end) {
        double sum = 0;
        for_exponentials(input, static_cast<T*>(nullptr), begin, end, classes, Unscaled{},
                         [&](Index n, const RowSummary<T>& row, const T*) {
                             const double loss =
                                 row_loss(input + n * classes, row, {target, labels, n, classes, options}, classes);
                             if (losses) losses[n] = T(loss);
                             sum += loss;
                         });
        return sum;
    });
}

template <class T>
void cross_entropy_loss_backward(const T* input, const T* target, const std::int64_t* labels, T* grad_input,
                                 Index batch, Index classes, CrossEntropyLossOptions<T> options, double scale) {
    for_blocks(batch, rows_of(costly_grain, classes), [=](Index begin, Index end) {
        const auto target_of = [=](Index n) { return RowTarget<T>(target, labels, n, classes, options); };
        for_exponentials(
            input, grad_input, begin, end, classes,
            [=](Index n, const RowSummary<T>& row) { return row_factor(row, target_of(n), scale); },
            [=](Index n, const RowSummary<T>& row, T* dx) { row_gradient(dx, row, target_of(n), classes, scale); });
    });
}

template <class T>
double cross_entropy_loss_forward_backward(const T* input, const T* target, const std::int64_t* labels, T* grad_input,
                                           Index batch, Index classes, CrossEntropyLossOptions<T> options,
                                           double scale) {
    return sum_blocks(batch, rows_of(costly_grain, classes), [=](Index begin, Index end) {
        double sum = 0;
        const auto target_of = [=](Index n) { return RowTarget<T>(target, labels, n, classes, options); };
        for_exponentials(
            input, grad_input, begin, end, classes,
            [=](Index n, const RowSummary<T>& row) { return row_factor(row, target_of(n), scale); },
            [&](Index n, const RowSummary<T>& row, T* dx) {
                sum += row_loss(input + n * classes, row, target_of(n), classes);
                row_gradient(dx, row, target_of(n), classes, scale);
            });
        return sum;
    });
}

template <class T>
double cross_entropy_loss_total_weight(const std::int64_t* labels, Index batch, CrossEntropyLossOptions<T> options) {
    double sum = 0;
    for (Index n = 0; n < batch; ++n) {
        if (labels[n] != options.ignore_index) sum += options.weight ? double(options.weight[labels[n]]) : 1.0;
    }
    return sum;
}

template <class T>
constexpr CrossEntropyLoss<T> cross_entropy_loss{cross_entropy_loss_forward<T>, cross_entropy_loss_backward<T>,
                                                 cross_entropy_loss_forward_backward<T>,
                                                 cross_entropy_loss_total_weight<T>};

}  // namespace PYNET_ISA
}  // namespace pynet
