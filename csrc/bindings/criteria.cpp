// The criteria of classes, with labels or probabilities for targets: forward beside backward.
#include "plan/criterion.hpp"

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "bindings/row_weights.hpp"

namespace pynet {
namespace {

using namespace py::literals;

constexpr double cheap = 1, costly = 20;

// A batch and its classes, checked.
struct Arguments {
    py::array input, target;
    std::optional<py::array> weight;

    Arguments(py::handle input_, py::handle target_, py::handle weight_, std::optional<std::int64_t> ignored = {})
        : input(as_input(input_, "input")),
          target(as_classes(target_, input, ignored)),
          weight(as_row_weights(weight_, input, input.shape(0))) {}

    template <class T>
    Target<T> targets() const {
        const bool labels = are_labels(target);
        return {labels ? nullptr : in<T>(target), labels ? in<std::int64_t>(target) : nullptr};
    }
};

void bind_cross_entropy(py::module_& module) {
    module.def(
        "cross_entropy_forward",
        [](py::handle input, py::handle target, py::handle weight) {
            const Arguments a(input, target, weight);
            const double sum = by_dtype(a.input, [&](auto zero) {
                using T = decltype(zero);
                return compute(costly * double(a.target.size()), [&a, x = in<T>(a.input), t = a.targets<T>(),
                                                                  batch = rows(a.input), classes = columns(a.input)] {
                    double total = 0;
                    for_weights(in<T>(a.weight), batch, [&](Index first, Index last, double w) {
                        total += w * kernels<T>().cross_entropy.forward(x + first * classes, t.row(first, classes),
                                                                        t.label(first), last - first, classes);
                    });
                    return total;
                });
            });
            return scalar_like(a.input, sum / double(rows(a.input)));
        },
        "input"_a, "target"_a, "weight"_a);
    module.def(
        "cross_entropy_backward",
        [](py::handle input, py::handle target, py::handle weight) {
            const Arguments a(input, target, weight);
            py::array grad_input = empty_like(a.input);
            by_dtype(a.input, [&](auto zero) {
                using T = decltype(zero);
                compute(cheap * double(a.input.size()),
                        [&a, x = in<T>(a.input), t = a.targets<T>(), dx = out<T>(grad_input), batch = rows(a.input),
                         classes = columns(a.input)] {
                            for_weights(in<T>(a.weight), batch, [&](Index first, Index last, double w) {
                                kernels<T>().cross_entropy.backward(x + first * classes, t.row(first, classes),
                                                                    t.label(first), dx + first * classes, last - first,
                                                                    classes, w / double(batch));
                            });
                        });
            });
            return grad_input;
        },
        "input"_a, "target"_a, "weight"_a);
}

// The checked arguments of a CrossEntropyLoss, or of an NLLLoss: the one of scores, the other of log-probabilities.
struct ClassArguments : Arguments {
    bool of_logs;
    std::optional<py::array> class_weight;
    std::int64_t ignore_index;
    double label_smoothing;

    ClassArguments(bool of_logs_, py::handle input_, py::handle target_, py::handle weight_, py::handle class_weight_,
                   std::int64_t ignore_index_, double label_smoothing_)
        : Arguments(input_, target_, weight_, ignore_index_),
          of_logs(of_logs_),
          ignore_index(ignore_index_),
          label_smoothing(label_smoothing_) {
        if (class_weight_.is_none()) return;
        class_weight = as_input(class_weight_, "weight", input);
        require_length(*class_weight, "weight", columns(input));
    }

    double operations() const { return (of_logs ? cheap : costly) * double(input.size()); }

    template <class T>
    const CrossEntropyLoss<T>& kernel() const {
        return of_logs ? kernels<T>().nll_loss : kernels<T>().cross_entropy_loss;
    }
    template <class T>
    CrossEntropyLossOptions<T> options() const {
        return {in<T>(class_weight), ignore_index, label_smoothing};
    }
    template <class T>
    double divisor(const std::string& reduction) const {
        if (reduction != "mean") return 1;
        if (!are_labels(target)) return double(rows(input));
        const double total = kernel<T>().total_weight(in<std::int64_t>(target), target.size(), options<T>());
        if (total == 0)
            throw py::value_error(
                "target has no row that counts: all are ignored or have weight 0, and their mean is not defined");
        return total;
    }
};

template <class T>
double forward(const ClassArguments& a, T* losses) {
    const T* x = in<T>(a.input);
    const Target<T> t = a.targets<T>();
    const Index classes = columns(a.input);
    double sum = 0;
    for_weights(in<T>(a.weight), rows(a.input), [&](Index first, Index last, double w) {
        T* each = losses ? losses + first : nullptr;
        sum += w * a.kernel<T>().forward(x + first * classes, t.row(first, classes), t.label(first), each, last - first,
                                         classes, a.options<T>());
        if (each && a.weight) *each = T(double(*each) * w);
    });
    return sum;
}

template <class T>
void backward(const ClassArguments& a, T* grad_input, double scale) {
    const T* x = in<T>(a.input);
    const Target<T> t = a.targets<T>();
    const Index classes = columns(a.input);
    for_weights(in<T>(a.weight), rows(a.input), [&](Index first, Index last, double w) {
        a.kernel<T>().backward(x + first * classes, t.row(first, classes), t.label(first), grad_input + first * classes,
                               last - first, classes, a.options<T>(), w * scale);
    });
}

void bind_class_loss(py::module_& module) {
    module.def(
        "class_loss_forward",
        [](bool of_logs, py::handle input, py::handle target, py::handle weight, py::handle class_weight,
           std::int64_t ignore_index, double label_smoothing, const std::string& reduction) -> py::object {
            const ClassArguments a(of_logs, input, target, weight, class_weight, ignore_index, label_smoothing);
            return by_dtype(a.input, [&](auto zero) -> py::object {
                using T = decltype(zero);
                const double divisor = a.divisor<T>(reduction);
                std::optional<py::array> losses;
                if (reduction == "none") losses = py::array(a.input.dtype(), rows(a.input));
                const double sum = compute(a.operations(), [&a, each = out<T>(losses)] { return forward<T>(a, each); });
                if (losses) return *losses;
                return scalar_like(a.input, sum / divisor);
            });
        },
        "of_logs"_a, "input"_a, "target"_a, "weight"_a, "class_weight"_a, "ignore_index"_a, "label_smoothing"_a,
        "reduction"_a);
    module.def(
        "class_loss_backward",
        [](bool of_logs, py::handle input, py::handle target, py::handle weight, py::handle class_weight,
           std::int64_t ignore_index, double label_smoothing, const std::string& reduction) {
            const ClassArguments a(of_logs, input, target, weight, class_weight, ignore_index, label_smoothing);
            py::array grad_input = empty_like(a.input);
            by_dtype(a.input, [&](auto zero) {
                using T = decltype(zero);
                compute(a.operations(), [&a, dx = out<T>(grad_input), scale = 1 / a.divisor<T>(reduction)] {
                    backward<T>(a, dx, scale);
                });
            });
            return grad_input;
        },
        "of_logs"_a, "input"_a, "target"_a, "weight"_a, "class_weight"_a, "ignore_index"_a, "label_smoothing"_a,
        "reduction"_a);
}

}  // namespace

void bind_criteria(py::module_& module) {
    bind_losses(module);
    bind_cross_entropy(module);
    bind_class_loss(module);
}

}  // namespace pynet
