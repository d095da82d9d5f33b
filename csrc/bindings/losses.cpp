// The criteria that are a Loss: one pair of functions for all of them.
#include "plan/losses.hpp"

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "bindings/row_weights.hpp"

namespace pynet {
namespace {

using namespace py::literals;

// Shapes that fit: (batch, means and variances) beside (batch, means), and (..., quantiles) beside (...).
void require_shorter_target(const py::array& input, const py::array& target, TargetIs is) {
    const bool halves = is == TargetIs::half_as_long;
    if (input.ndim() < 2 || (halves && (input.ndim() > 2 || input.shape(1) % 2 != 0))) {
        throw ShapeError("input has shape " + shape_text(input) + ", expected " +
                         (halves ? "(batch, 2 k): k means, then k variances" : "(batch, ..., quantiles)"));
    }
    std::vector<py::ssize_t> wanted(input.shape(), input.shape() + input.ndim() - 1);
    if (halves) wanted.push_back(input.shape(1) / 2);
    const std::vector<py::ssize_t> got(target.shape(), target.shape() + target.ndim());
    if (got == wanted) return;
    // A single column may be one axis or two.
    if (halves && wanted[1] == 1 && got == std::vector<py::ssize_t>{wanted[0]}) return;
    if (wanted.size() == 1 && got == std::vector<py::ssize_t>{wanted[0], 1}) return;
    std::string text;
    for (const py::ssize_t size : wanted) text += std::to_string(size) + (wanted.size() == 1 ? "," : ", ");
    if (wanted.size() > 1) text.resize(text.size() - 2);
    throw ShapeError("target has shape " + shape_text(target) + ", expected (" + text + ") beside input of shape " +
                     shape_text(input));
}

template <class T>
void require_probabilities(const py::array& array, const char* name) {
    const T* value = in<T>(array);
    for (Index i = 0; i < array.size(); ++i) {
        if (!(value[i] < 0 || value[i] > 1)) continue;
        throw py::value_error(std::string(name) + " has " + std::to_string(value[i]) + " in row " +
                              std::to_string(i / (array.size() / array.shape(0))) +
                              ", expected probabilities from 0 to 1");
    }
}

template <class T>
void require_variances(const py::array& input) {
    const T* value = in<T>(input);
    for (Index n = 0; n < rows(input); ++n) {
        for (Index k = columns(input) / 2; k < columns(input); ++k) {
            const T variance = value[n * columns(input) + k];
            if (!(variance < 0)) continue;
            throw py::value_error("input has the variance " + std::to_string(variance) + " in row " +
                                  std::to_string(n) + ", expected none below 0");
        }
    }
}

// The checked arguments of a Loss.
struct Arguments {
    const NamedLoss<float>& about;  // the same as of double, but for the kernel
    py::array input, target;
    std::optional<py::array> weight, numbers;
    Over what;
    double number;
    bool of_logs, full;

    Arguments(const std::string& name, py::handle input_, py::handle target_, py::handle weight_,
              const std::string& reduction, double number_, py::handle numbers_, bool of_logs_, bool full_)
        : about(loss_named<float>(name)),
          input(as_input(input_, "input")),
          target(as_input(target_, "target", input)),
          what(over(reduction)),
          number(number_),
          of_logs(of_logs_),
          full(full_) {
        if (about.target == TargetIs::as_long) {
            require_same_shape(target, "target", input, "input");
        } else {
            require_shorter_target(input, target, about.target);
        }
        require_rows(input);
        weight = as_row_weights(weight_, input, input.shape(0));
        if (!numbers_.is_none()) require_columns(numbers_);
        by_dtype(input, [&](auto zero) {
            using T = decltype(zero);
            if (about.refuses == Refuses::all_but_probabilities) {
                require_probabilities<T>(input, "input");
                require_probabilities<T>(target, "target");
            }
            if (about.refuses == Refuses::negative_variances) require_variances<T>(input);
        });
    }

    void require_columns(py::handle numbers_) {
        numbers = as_input(numbers_, "numbers", py::array(py::dtype::of<double>(), 0));
        const bool one = numbers->size() == 1 && about.target == TargetIs::as_long;
        if (one || (input.ndim() > 1 && columns(input) == numbers->size())) return;
        throw ShapeError("input has shape " + shape_text(input) + ", expected (batch, ..., " +
                         std::to_string(numbers->size()) + "): a column for each of " +
                         (about.target == TargetIs::one_number ? "quantiles" : "pos_weight"));
    }

    Index batch() const { return input.shape(0); }
    Index width() const { return input.ndim() > 1 ? columns(input) : 1; }
    // How many rows of that width each of the batch has.
    Index rows_each() const { return input.ndim() > 1 ? rows(input) / batch() : 1; }
    double operations() const { return about.operations * double(input.size()); }
    double divisor() const { return divisor_of(what, batch(), rows_each() * batch() * about.loss_columns(width())); }

    LossOptions options() const { return {number, in<double>(numbers), numbers ? numbers->size() : 0, of_logs, full}; }

    // Where the losses of single elements go.
    py::array empty_losses() const {
        return about.target == TargetIs::half_as_long
                   ? py::array(input.dtype(), std::vector<py::ssize_t>{batch(), width() / 2})
                   : empty_like(input);
    }

    // f(input, target, losses, rows, weight), at once or row by row: offsets from the start, in elements.
    template <class T, class F>
    void for_rows(const F& f) const {
        const Index each = rows_each(), wide = width();
        for_weights(in<T>(weight), batch(), [&](Index first, Index last, double w) {
            const Index start = first * each;
            f(start * wide, start * about.target_columns(wide), start * about.loss_columns(wide), (last - first) * each,
              w);
        });
    }
};

template <class T>
double forward(const Arguments& a, const Loss<T>& kernel, T* losses) {
    const LossOptions options = a.options();
    const T *x = in<T>(a.input), *t = in<T>(a.target);
    const Index wide = a.width(), loss_columns = a.about.loss_columns(wide);
    double sum = 0;
    a.for_rows<T>([&](Index at, Index target_at, Index loss_at, Index count, double w) {
        T* each = losses ? losses + loss_at : nullptr;
        sum += w * kernel.forward(x + at, t + target_at, each, count, wide, options);
        if (!each || !a.weight) return;
        for (Index i = 0; i < count * loss_columns; ++i) each[i] = T(double(each[i]) * w);
    });
    return sum;
}

template <class T>
void backward(const Arguments& a, const Loss<T>& kernel, T* grad_input) {
    const LossOptions options = a.options();
    const T *x = in<T>(a.input), *t = in<T>(a.target);
    const Index wide = a.width();
    const double scale = 1 / a.divisor();
    a.for_rows<T>([&](Index at, Index target_at, Index, Index count, double w) {
        kernel.backward(x + at, t + target_at, grad_input + at, count, wide, options, w * scale);
    });
}

}  // namespace

void bind_losses(py::module_& module) {
    module.def(
        "loss_forward",
        [](const std::string& name, py::handle input, py::handle target, py::handle weight,
           const std::string& reduction, double number, py::handle numbers, bool of_logs, bool full) -> py::object {
            const Arguments a(name, input, target, weight, reduction, number, numbers, of_logs, full);
            std::optional<py::array> losses;
            if (reduction == "none") losses = a.empty_losses();
            const double sum = by_dtype(a.input, [&](auto zero) {
                using T = decltype(zero);
                return compute(a.operations(), [&a, &kernel = kernels<T>().*loss_named<T>(name).kernel,
                                                each = out<T>(losses)] { return forward<T>(a, kernel, each); });
            });
            if (losses) return *losses;
            return scalar_like(a.input, sum / a.divisor());
        },
        "name"_a, "input"_a, "target"_a, "weight"_a, "reduction"_a, "number"_a, "numbers"_a, "of_logs"_a, "full"_a);
    module.def(
        "loss_backward",
        [](const std::string& name, py::handle input, py::handle target, py::handle weight,
           const std::string& reduction, double number, py::handle numbers, bool of_logs, bool full) {
            const Arguments a(name, input, target, weight, reduction, number, numbers, of_logs, full);
            py::array grad_input = empty_like(a.input);
            by_dtype(a.input, [&](auto zero) {
                using T = decltype(zero);
                compute(a.operations(), [&a, &kernel = kernels<T>().*loss_named<T>(name).kernel,
                                         dx = out<T>(grad_input)] { backward<T>(a, kernel, dx); });
            });
            return grad_input;
        },
        "name"_a, "input"_a, "target"_a, "weight"_a, "reduction"_a, "number"_a, "numbers"_a, "of_logs"_a, "full"_a);
}

}  // namespace pynet
