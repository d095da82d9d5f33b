// The layers but activations: one block each, forward beside backward.
#include <limits>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "kernels/kernels.hpp"

namespace pynet {
namespace {

using namespace py::literals;

// A layer that works on rows, given its table entry: SoftMax and LogSoftMax.
template <class Entry>
void bind_row_layer(py::module_& module, const std::string& name, const Entry& entry) {
    const auto require_rows = [](const py::array& input) {
        if (input.ndim() == 0) throw ShapeError("input has no axes, expected (..., classes)");
    };
    module.def((name + "_forward").c_str(), [=](py::handle input_) {
        const py::array input = as_input(input_, "input");
        require_rows(input);
        py::array output = empty_like(input);
        by_dtype(input, [&](auto zero) {
            using T = decltype(zero);
            compute(costly * double(input.size()),
                    [&, x = in<T>(input), y = out<T>(output), batch = rows(input), classes = columns(input)] {
                        entry(zero).forward(x, y, batch, classes);
                    });
        });
        return output;
    });
    module.def((name + "_backward").c_str(), [=](py::handle input_, py::handle grad_output_) {
        const py::array input = as_input(input_, "input"), grad_output = as_input(grad_output_, "grad_output", input);
        require_rows(input);
        require_same_shape(grad_output, "grad_output", input, "input");
        py::array grad_input = empty_like(input);
        by_dtype(input, [&](auto zero) {
            using T = decltype(zero);
            compute(costly * double(input.size()),
                    [&, x = in<T>(input), dy = in<T>(grad_output), dx = out<T>(grad_input), batch = rows(input),
                     classes = columns(input)] { entry(zero).backward(x, dy, dx, batch, classes); });
        });
        return grad_input;
    });
}

// input: (batch, ..., features), with no more rows than BLAS can count. Looked at before it is converted.
void require_features(const py::array& array, const char* name, Index features) {
    const std::string text = std::to_string(features);
    if (array.ndim() < 2) {
        throw ShapeError(std::string(name) + " has shape " + shape_text(array) +
                         ", expected at least 2 axes (batch, ..., " + text + "); one sample is " +
                         (array.ndim() == 1 ? "x[None]" : "a row"));
    }
    if (columns(array) != features) {
        std::string hint;
        if (array.ndim() > 2 && array.size() == array.shape(0) * features) {
            hint = "; a Flatten() before it makes (" + std::to_string(array.shape(0)) + ", " + text + ") of it";
        }
        throw ShapeError(std::string(name) + " has " + std::to_string(columns(array)) + " features, expected " + text +
                         " (shape " + shape_text(array) + ")" + hint);
    }
    if (rows(array) > std::numeric_limits<int>::max()) {
        throw ShapeError(std::string(name) + " has more than 2**31 - 1 rows, which BLAS cannot count (shape " +
                         shape_text(array) + ")");
    }
}

// The same, checked and converted to the dtype of `like`.
py::array as_batch(py::handle value, const char* name, Index features, const py::array& like) {
    const py::array array = as_array(value, name);
    require_features(array, name, features);
    return as_input(array, name, like);
}

struct LinearParameters {
    py::array weight;
    std::optional<py::array> bias;

    LinearParameters(py::handle weight_, py::handle bias_, const char* weight_name, const char* bias_name)
        : weight(as_parameter(weight_, weight_name)), bias(as_optional_parameter(bias_, bias_name)) {
        if (weight.ndim() != 2) {
            throw ShapeError(std::string(weight_name) + " has shape " + shape_text(weight) +
                             ", expected 2 axes (out, in)");
        }
        if (!bias) return;
        require_length(*bias, bias_name, weight.shape(0));
        require_same_dtype(*bias, bias_name, weight, weight_name);
    }
    Index out() const { return weight.shape(0); }
    Index in() const { return weight.shape(1); }
};

py::array with_last_axis(const py::array& like, Index length) {
    py::array::ShapeContainer shape(like.shape(), like.shape() + like.ndim());
    shape->back() = length;
    return py::array(like.dtype(), shape);
}

void bind_linear(py::module_& module) {
    module.def(
        "linear_forward",
        [](py::handle input_, py::handle weight_, py::handle bias_) {
            const LinearParameters p(weight_, bias_, "W", "b");
            const py::array input = as_batch(input_, "input", p.in(), p.weight);
            py::array output = with_last_axis(input, p.out());
            by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                compute(
                    double(output.size()) * double(p.in()),
                    [x = in<T>(input), w = in<T>(p.weight), b = in<T>(p.bias), y = out<T>(output), batch = rows(input),
                     in = p.in(), out = p.out()] { kernels<T>().linear.forward(x, w, b, y, batch, in, out); });
            });
            return output;
        },
        "input"_a, "W"_a, "b"_a);
    module.def(
        "linear_backward",
        [](py::handle input_, py::handle grad_output_, py::handle weight_, py::handle grad_weight_,
           py::handle grad_bias_, bool accumulate) {
            const LinearParameters own(weight_, py::none(), "W", "b");
            const py::array& weight = own.weight;
            std::optional<LinearParameters> grads;  // none of a layer that is frozen
            if (as_gradient_of(weight, "W", grad_weight_, "grad_W")) {
                grads.emplace(grad_weight_, grad_bias_, "grad_W", "grad_b");
            }
            py::array input = as_batch(input_, "input", own.in(), weight);
            py::array grad_output = as_batch(grad_output_, "grad_output", own.out(), weight);
            if (input.ndim() != grad_output.ndim() ||
                !std::equal(input.shape(), input.shape() + input.ndim() - 1, grad_output.shape())) {
                throw ShapeError("grad_output has shape " + shape_text(grad_output) + ", expected " +
                                 shape_text(with_last_axis(input, own.out())) + " for input " + shape_text(input));
            }
            if (grads) {
                input = apart_from(apart_from(input, grads->weight), grads->bias);
                grad_output = apart_from(apart_from(grad_output, grads->weight), grads->bias);
            }
            py::array grad_input = empty_like(input);
            by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                T* const dw = grads ? out<T>(grads->weight) : nullptr;
                T* const db = grads ? out<T>(grads->bias) : nullptr;
                compute(double(grad_output.size()) * double(own.in()),
                        [=, x = in<T>(input), dy = in<T>(grad_output), w = in<T>(weight), dx = out<T>(grad_input),
                         batch = rows(input), in = own.in(), out = own.out(), beta = T(accumulate)] {
                            kernels<T>().linear.backward_input(dy, w, dx, batch, in, out);
                            if (dw) kernels<T>().linear.backward_parameters(x, dy, dw, db, batch, in, out, beta);
                        });
            });
            return grad_input;
        },
        "input"_a, "grad_output"_a, "W"_a, "grad_W"_a, "grad_b"_a, "accumulate"_a);
}

void bind_dropout(py::module_& module) {
    module.def(
        "dropout_forward",
        [](py::handle input_, const py::object& draw, double p) {
            const py::array input = as_input(input_, "input");
            py::array output = empty_like(input);
            py::array mask(py::dtype::of<bool>(),
                           py::array::ShapeContainer(input.shape(), input.shape() + input.ndim()));
            const auto seed = draw().cast<std::uint64_t>();  // last, for without memory nothing is to be drawn
            by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                compute(costly * double(input.size()),
                        [=, x = in<T>(input), y = out<T>(output), kept = out<std::uint8_t>(mask), size = input.size()] {
                            kernels<T>().dropout.forward(x, y, kept, size, seed, p);
                        });
            });
            return py::make_tuple(output, mask);
        },
        "input"_a, "draw"_a, "p"_a);
    module.def(
        "dropout_backward",
        [](py::handle grad_output_, const py::array_t<bool, py::array::c_style>& mask, double p) {
            const py::array grad_output = as_input(grad_output_, "grad_output");
            require_same_shape(grad_output, "grad_output", mask, "the mask of the last forward");
            py::array grad_input = empty_like(grad_output);
            by_dtype(grad_output, [&](auto zero) {
                using T = decltype(zero);
                compute(cheap * double(mask.size()),
                        [=, dy = in<T>(grad_output), kept = in<std::uint8_t>(mask), dx = out<T>(grad_input),
                         size = mask.size()] { kernels<T>().dropout.backward(dy, kept, dx, size, p); });
            });
            return grad_input;
        },
        "grad_output"_a, py::arg("mask").noconvert(), "p"_a);
}

// input: (batch, channels, positions...)
struct ChannelSizes {
    Index batch, channels, positions;

    ChannelSizes(const py::array& input, Index channels_) : channels(channels_) {
        require_channels(input, channels);
        batch = input.shape(0);
        positions = positions_of(input);
    }
    double values() const { return double(batch) * double(positions); }
    BatchNormSizes all() const { return {batch, channels, positions, channels * positions}; }
};

// The statistics that a BatchNorm normalises with: of this batch in training, else the running ones.
struct BatchStatistics {
    std::vector<double> mean, variance;

    template <class T>
    BatchStatistics(const py::array& input, const ChannelSizes& size, const py::array& running_mean,
                    const py::array& running_var, bool from_batch, T)
        : mean(static_cast<std::size_t>(size.channels)), variance(mean.size()) {
        if (from_batch) {
            compute(double(input.size()), [&, x = in<T>(input)] {
                kernels<T>().batch_norm.statistics(x, mean.data(), variance.data(), size.all());
            });
        } else {
            mean.assign(in<T>(running_mean), in<T>(running_mean) + size.channels);
            variance.assign(in<T>(running_var), in<T>(running_var) + size.channels);
        }
    }
};

py::array as_running_mean(py::handle value) {
    const py::array running_mean = as_parameter(value, "running_mean");
    require_length(running_mean, "running_mean", running_mean.size());
    return running_mean;
}

// weight, bias, running_mean, running_var and gradients: all (channels,) and of one dtype, or absent.
std::optional<py::array> channel_parameter(py::handle value, const char* name, const py::array& like) {
    std::optional<py::array> parameter = as_optional_parameter(value, name);
    if (!parameter) return parameter;
    require_length(*parameter, name, like.size());
    require_same_dtype(*parameter, name, like, "running_mean");
    return parameter;
}

void require_several_values(const ChannelSizes& size, bool from_batch) {
    if (!from_batch || size.channels == 0 || size.values() > 1) return;
    throw py::value_error("input has " + std::to_string(Index(size.values())) +
                          " value(s) per channel, expected more than one in training mode: a variance needs two");
}

void bind_batch_norm(py::module_& module) {
    module.def(
        "batch_norm_forward",
        [](py::handle input_, py::handle weight_, py::handle bias_, py::handle running_mean_, py::handle running_var_,
           py::handle num_batches_tracked, double eps, double momentum, bool from_batch) {
            py::array running_mean = as_running_mean(running_mean_);
            py::array running_var = *channel_parameter(running_var_, "running_var", running_mean);
            const auto weight = channel_parameter(weight_, "weight", running_mean);
            const auto bias = channel_parameter(bias_, "bias", running_mean);
            const py::array input = as_input(input_, "input", running_mean);
            const ChannelSizes size(input, running_mean.size());
            require_several_values(size, from_batch);
            // None where the statistics do not move.
            std::int64_t* const count =
                num_batches_tracked.is_none() ? nullptr : as_counter(num_batches_tracked, "num_batches_tracked");
            py::array output = empty_like(input);
            by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                const BatchStatistics stats(input, size, running_mean, running_var, from_batch, zero);
                compute(double(input.size()),
                        [&, x = in<T>(input), w = in<T>(weight), b = in<T>(bias), y = out<T>(output)] {
                            kernels<T>().batch_norm.forward(x, stats.mean.data(), stats.variance.data(), w, b, y,
                                                            size.all(), eps);
                        });
                if (!count) return;
                ++*count;
                kernels<T>().batch_norm.move(out<T>(running_mean), out<T>(running_var), stats.mean.data(),
                                             stats.variance.data(), size.all(), momentum);
            });
            return output;
        },
        "input"_a, "weight"_a, "bias"_a, "running_mean"_a, "running_var"_a, "num_batches_tracked"_a, "eps"_a,
        "momentum"_a, "from_batch"_a);
    module.def(
        "batch_norm_backward",
        [](py::handle input_, py::handle grad_output_, py::handle weight_, py::handle running_mean_,
           py::handle running_var_, py::handle grad_weight_, py::handle grad_bias_, double eps, bool from_batch,
           bool accumulate) {
            const py::array running_mean = as_running_mean(running_mean_);
            const py::array running_var = *channel_parameter(running_var_, "running_var", running_mean);
            const auto weight = channel_parameter(weight_, "weight", running_mean);
            auto grad_weight = channel_parameter(grad_weight_, "grad_weight", running_mean);
            auto grad_bias = channel_parameter(grad_bias_, "grad_bias", running_mean);
            py::array input = as_input(input_, "input", running_mean);
            py::array grad_output = as_input(grad_output_, "grad_output", running_mean);
            const ChannelSizes size(input, running_mean.size());
            require_same_shape(grad_output, "grad_output", input, "input");
            require_several_values(size, from_batch);
            input = apart_from(apart_from(input, grad_weight), grad_bias);
            grad_output = apart_from(apart_from(grad_output, grad_weight), grad_bias);
            py::array grad_input = empty_like(input);
            by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                const BatchStatistics stats(input, size, running_mean, running_var, from_batch, zero);
                compute(double(input.size()),
                        [&, x = in<T>(input), dy = in<T>(grad_output), w = in<T>(weight), dx = out<T>(grad_input),
                         dw = out<T>(grad_weight), db = out<T>(grad_bias)] {
                            kernels<T>().batch_norm.backward(x, dy, stats.mean.data(), stats.variance.data(), w, dx, dw,
                                                             db, size.all(), eps, from_batch, T(accumulate));
                        });
            });
            return grad_input;
        },
        "input"_a, "grad_output"_a, "weight"_a, "running_mean"_a, "running_var"_a, "grad_weight"_a, "grad_bias"_a,
        "eps"_a, "from_batch"_a, "accumulate"_a);
}

}  // namespace

void bind_layers(py::module_& module) {
    bind_linear(module);
    bind_row_layer(module, "softmax", [](auto zero) { return kernels<decltype(zero)>().softmax; });
    bind_row_layer(module, "log_softmax", [](auto zero) { return kernels<decltype(zero)>().log_softmax; });
    bind_dropout(module);
    bind_batch_norm(module);
}

}  // namespace pynet
