// The criteria: one block each, forward beside backward.
#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "kernels/kernels.hpp"

namespace pynet {
namespace {

using namespace py::literals;

constexpr double cheap = 1, costly = 20;

void require_rows(const py::array& input) {
    if (input.ndim() == 0) throw ShapeError("input has no axes, expected (batch, ...)");
    if (input.shape(0) == 0) {
        throw py::value_error("input is empty (shape " + shape_text(input) +
                              "): the loss of an empty batch is not defined");
    }
}

// What a sum over all elements is divided by: 'batch' rows (the notebook), 'mean' elements, or 1.
double squared_error_divisor(const py::array& input, const std::string& reduction) {
    return reduction == "batch" ? double(input.shape(0)) : reduction == "mean" ? double(input.size()) : 1.0;
}

void bind_mse(py::module_& module) {
    module.def(
        "mse_forward",
        [](py::handle input_, py::handle target_, const std::string& reduction) -> py::object {
            const py::array input = as_input(input_, "input"), target = as_input(target_, "target", input);
            require_same_shape(target, "target", input, "input");
            require_rows(input);
            std::optional<py::array> losses;
            if (reduction == "none") losses = empty_like(input);
            const double sum = by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                return compute(cheap * double(input.size()),
                               [x = in<T>(input), t = in<T>(target), each = out<T>(losses), size = input.size()] {
                                   return kernels<T>().mse.forward(x, t, each, size);
                               });
            });
            if (losses) return *losses;
            return scalar_like(input, sum / squared_error_divisor(input, reduction));
        },
        "input"_a, "target"_a, "reduction"_a);
    module.def(
        "mse_backward",
        [](py::handle input_, py::handle target_, const std::string& reduction) {
            const py::array input = as_input(input_, "input"), target = as_input(target_, "target", input);
            require_same_shape(target, "target", input, "input");
            require_rows(input);
            py::array grad_input = empty_like(input);
            by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                compute(cheap * double(input.size()),
                        [x = in<T>(input), t = in<T>(target), dx = out<T>(grad_input), size = input.size(),
                         scale = 2 / squared_error_divisor(input, reduction)] {
                            kernels<T>().mse.backward(x, t, dx, size, scale);
                        });
            });
            return grad_input;
        },
        "input"_a, "target"_a, "reduction"_a);
}

// Labels or rows of probabilities: one of the two pointers is null.
template <class T>
struct Target {
    const T* probabilities;
    const std::int64_t* labels;

    explicit Target(const py::array& target)
        : probabilities(are_labels(target) ? nullptr : in<T>(target)),
          labels(are_labels(target) ? in<std::int64_t>(target) : nullptr) {}
};

void bind_cross_entropy(py::module_& module) {
    module.def(
        "cross_entropy_forward",
        [](py::handle input_, py::handle target_) {
            const py::array input = as_input(input_, "input"), target = as_classes(target_, input);
            const double sum = by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                return compute(costly * double(target.size()), [x = in<T>(input), t = Target<T>(target),
                                                                batch = rows(input), classes = columns(input)] {
                    return kernels<T>().cross_entropy.forward(x, t.probabilities, t.labels, batch, classes);
                });
            });
            return scalar_like(input, sum / double(rows(input)));
        },
        "input"_a, "target"_a);
    module.def(
        "cross_entropy_backward",
        [](py::handle input_, py::handle target_) {
            const py::array input = as_input(input_, "input"), target = as_classes(target_, input);
            py::array grad_input = empty_like(input);
            by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                compute(cheap * double(input.size()), [x = in<T>(input), t = Target<T>(target), dx = out<T>(grad_input),
                                                       batch = rows(input), classes = columns(input)] {
                    kernels<T>().cross_entropy.backward(x, t.probabilities, t.labels, dx, batch, classes,
                                                        1 / double(batch));
                });
            });
            return grad_input;
        },
        "input"_a, "target"_a);
}

// The checked arguments of a CrossEntropyLoss.
struct ScoresAndClasses {
    py::array input, target;
    std::optional<py::array> weight;
    std::int64_t ignore_index;
    double label_smoothing;

    ScoresAndClasses(py::handle input_, py::handle target_, py::handle weight_, std::int64_t ignore_index_,
                     double label_smoothing_)
        : input(as_input(input_, "input")),
          target(as_classes(target_, input, ignore_index_)),
          ignore_index(ignore_index_),
          label_smoothing(label_smoothing_) {
        if (weight_.is_none()) return;
        weight = as_input(weight_, "weight", input);
        require_length(*weight, "weight", columns(input));
    }

    template <class T>
    CrossEntropyLossOptions<T> options() const {
        return {in<T>(weight), ignore_index, label_smoothing};
    }

    template <class T>
    double divisor(const std::string& reduction) const {
        if (reduction != "mean") return 1;
        if (!are_labels(target)) return double(rows(input));
        const double total =
            kernels<T>().cross_entropy_loss.total_weight(in<std::int64_t>(target), target.size(), options<T>());
        if (total == 0)
            throw py::value_error(
                "target has no row that counts: all are ignored or have weight 0, and their mean is not defined");
        return total;
    }
};

void bind_cross_entropy_loss(py::module_& module) {
    module.def(
        "cross_entropy_loss_forward",
        [](py::handle input, py::handle target, py::handle weight, std::int64_t ignore_index, double label_smoothing,
           const std::string& reduction) -> py::object {
            const ScoresAndClasses a(input, target, weight, ignore_index, label_smoothing);
            return by_dtype(a.input, [&](auto zero) -> py::object {
                using T = decltype(zero);
                const double divisor = a.divisor<T>(reduction);
                std::optional<py::array> losses;
                if (reduction == "none") losses = py::array(a.input.dtype(), rows(a.input));
                const double sum =
                    compute(costly * double(a.input.size()),
                            [x = in<T>(a.input), t = Target<T>(a.target), each = out<T>(losses), batch = rows(a.input),
                             classes = columns(a.input), options = a.options<T>()] {
                                return kernels<T>().cross_entropy_loss.forward(x, t.probabilities, t.labels, each,
                                                                               batch, classes, options);
                            });
                if (losses) return *losses;
                return scalar_like(a.input, sum / divisor);
            });
        },
        "input"_a, "target"_a, "weight"_a, "ignore_index"_a, "label_smoothing"_a, "reduction"_a);
    module.def(
        "cross_entropy_loss_backward",
        [](py::handle input, py::handle target, py::handle weight, std::int64_t ignore_index, double label_smoothing,
           const std::string& reduction) {
            const ScoresAndClasses a(input, target, weight, ignore_index, label_smoothing);
            py::array grad_input = empty_like(a.input);
            by_dtype(a.input, [&](auto zero) {
                using T = decltype(zero);
                compute(costly * double(a.input.size()),
                        [x = in<T>(a.input), t = Target<T>(a.target), dx = out<T>(grad_input), batch = rows(a.input),
                         classes = columns(a.input), options = a.options<T>(), scale = 1 / a.divisor<T>(reduction)] {
                            kernels<T>().cross_entropy_loss.backward(x, t.probabilities, t.labels, dx, batch, classes,
                                                                     options, scale);
                        });
            });
            return grad_input;
        },
        "input"_a, "target"_a, "weight"_a, "ignore_index"_a, "label_smoothing"_a, "reduction"_a);
}

}  // namespace

void bind_criteria(py::module_& module) {
    bind_mse(module);
    bind_cross_entropy(module);
    bind_cross_entropy_loss(module);
}

}  // namespace pynet
