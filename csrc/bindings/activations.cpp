// The activations: forward and backward of each on arrays.
#include "bindings/activations.hpp"

#include "bindings/bindings.hpp"

namespace pynet {
namespace {

using namespace py::literals;

// The kernel's parameters become arguments; the one given here only says how many it has.
template <class Kernel, class... Parameters>
void bind_activation(py::module_& module, const std::string& name, double cost, const Kernel& kernel,
                     const Activation<double, Parameters...>&) {
    module.def((name + "_forward").c_str(), [=](py::handle input_, Parameters... parameters) {
        const py::array input = as_input(input_, "input");
        py::array output = empty_like(input);
        by_dtype(input, [&](auto zero) {
            using T = decltype(zero);
            compute(cost * double(input.size()), [&, x = in<T>(input), y = out<T>(output), size = input.size()] {
                kernel(zero).forward(x, y, size, T(parameters)...);
            });
        });
        return output;
    });
    module.def((name + "_backward").c_str(), [=](py::handle input_, py::handle grad_output_, Parameters... parameters) {
        const py::array input = as_input(input_, "input"), grad_output = as_input(grad_output_, "grad_output", input);
        require_same_shape(grad_output, "grad_output", input, "input");
        py::array grad_input = empty_like(input);
        by_dtype(input, [&](auto zero) {
            using T = decltype(zero);
            compute(cost * double(input.size()),
                    [&, x = in<T>(input), dy = in<T>(grad_output), dx = out<T>(grad_input), size = input.size()] {
                        kernel(zero).backward(x, dy, dx, size, T(parameters)...);
                    });
        });
        return grad_input;
    });
}

// input: (batch, channels, positions...), or of any shape where one weight is for all.
BatchNormSizes prelu_sizes(const py::array& input, Index channels) {
    if (channels == 1) return {1, 1, input.size(), input.size()};
    require_channels(input, channels);
    return {input.shape(0), channels, positions_of(input), channels * positions_of(input)};
}

py::array as_weight(py::handle value) {
    const py::array weight = as_parameter(value, "weight");
    require_length(weight, "weight", weight.size());
    return weight;
}

void bind_prelu(py::module_& module) {
    module.def(
        "prelu_forward",
        [](py::handle input_, py::handle weight_) {
            const py::array weight = as_weight(weight_), input = as_input(input_, "input", weight);
            const BatchNormSizes sizes = prelu_sizes(input, weight.size());
            py::array output = empty_like(input);
            by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                compute(double(input.size()), [&, x = in<T>(input), w = in<T>(weight), y = out<T>(output)] {
                    if (sizes.channels == 1) return kernels<T>().leaky_relu.forward(x, y, sizes.positions, *w);
                    kernels<T>().prelu.forward(x, w, y, sizes);
                });
            });
            return output;
        },
        "input"_a, "weight"_a);
    module.def(
        "prelu_backward",
        [](py::handle input_, py::handle grad_output_, py::handle weight_, py::handle grad_weight_, bool accumulate) {
            const py::array weight = as_weight(weight_);
            std::optional<py::array> grad_weight = as_gradient_of(weight, "weight", grad_weight_, "grad_weight");
            py::array input = as_input(input_, "input", weight);
            py::array grad_output = as_input(grad_output_, "grad_output", weight);
            const BatchNormSizes sizes = prelu_sizes(input, weight.size());
            require_same_shape(grad_output, "grad_output", input, "input");
            input = apart_from(input, grad_weight);
            grad_output = apart_from(grad_output, grad_weight);
            py::array grad_input = empty_like(input);
            by_dtype(input, [&](auto zero) {
                using T = decltype(zero);
                compute(double(input.size()), [&, x = in<T>(input), dy = in<T>(grad_output), w = in<T>(weight),
                                               dx = out<T>(grad_input), dw = out<T>(grad_weight)] {
                    if (sizes.channels != 1) {
                        return kernels<T>().prelu.backward(x, dy, w, dx, dw, sizes, T(accumulate));
                    }
                    kernels<T>().leaky_relu.backward(x, dy, dx, sizes.positions, *w);
                    if (dw) *dw = T(kernels<T>().prelu.sum(x, dy, sizes.positions)) + (accumulate ? *dw : T(0));
                });
            });
            return grad_input;
        },
        "input"_a, "grad_output"_a, "weight"_a, "grad_weight"_a, "accumulate"_a);
}

}  // namespace

void bind_activations(py::module_& module) {
    const auto bind = [&](const char* name, double cost, const auto& kernel) {
        bind_activation(module, name, cost, kernel, kernel(double()));
    };
    bind("relu", cheap, [](auto zero) { return kernels<decltype(zero)>().relu; });
    for_each_activation(bind);
    bind_prelu(module);
}

}  // namespace pynet
