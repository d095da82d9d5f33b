// LayerNorm, RMSNorm and GroupNorm: what an input is divided into, and one block for all three.
#include <pybind11/stl.h>

#include <limits>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "kernels/kernels.hpp"

namespace pynet {
namespace {

using namespace py::literals;

// input: (..., *shape), of which every (shape) is one group.
NormSizes last_axes(const py::array& input, const std::vector<Index>& shape) {
    const py::ssize_t end = input.ndim(), first = end - static_cast<py::ssize_t>(shape.size());
    if (first < 0 || !std::equal(shape.begin(), shape.end(), input.shape() + first)) {
        std::string text;
        for (const Index size : shape) text += ", " + std::to_string(size);
        throw ShapeError("input has shape " + shape_text(input) + ", expected (..." + text + ")");
    }
    return {product_of_axes(input, 0, first), 1, product_of_axes(input, first, end), 1};
}

// input: (batch, channels, ...), of which each sample's channels are divided into groups.
NormSizes groups_of_channels(const py::array& input, Index groups, Index channels) {
    require_channels(input, channels);
    if (groups < 1 || channels % groups) throw py::value_error("channels must be a multiple of groups");
    return {input.shape(0), groups, channels / groups * positions_of(input), positions_of(input)};
}

// weight, bias and their gradients: of one size and dtype, or absent.
struct NormParameters {
    std::optional<py::array> weight, bias;

    NormParameters(py::handle weight_, py::handle bias_, const char* weight_name, const char* bias_name)
        : weight(as_optional_parameter(weight_, weight_name)), bias(as_optional_parameter(bias_, bias_name)) {
        if (!weight || !bias) return;
        require_same_shape(*bias, bias_name, *weight, weight_name);
        require_same_dtype(*bias, bias_name, *weight, weight_name);
    }
    py::array converted(py::handle value, const char* name) const {
        return weight ? as_input(value, name, *weight) : as_input(value, name);
    }
    void require_size(Index size) const {
        if (weight && weight->size() != size) {
            throw ShapeError("weight has shape " + shape_text(*weight) + ", expected " + std::to_string(size) +
                             " numbers");
        }
    }
};

struct LastAxes {
    const std::vector<Index>& shape;
    const NormParameters& parameters;

    NormSizes operator()(const py::array& input) const {
        const NormSizes sizes = last_axes(input, shape);
        parameters.require_size(sizes.size);
        return sizes;
    }
};

// Without one, the distance from 1 to the next number of the input's dtype.
NormOptions options_for(const py::array& input, std::optional<double> eps, bool centred) {
    const double least =
        is_float32(input) ? double(std::numeric_limits<float>::epsilon()) : std::numeric_limits<double>::epsilon();
    return {eps.value_or(least), centred};
}

Index weights_of(NormSizes sizes, const NormParameters& p) { return p.weight ? p.weight->size() : sizes.size; }

// sizes_of(input) looks at its shape.
template <class SizesOf>
py::array forward(py::handle input_, const NormParameters& p, const SizesOf& sizes_of, std::optional<double> eps,
                  bool centred) {
    const py::array input = p.converted(input_, "input");
    const NormSizes sizes = sizes_of(input);
    const NormOptions options = options_for(input, eps, centred);
    py::array output = empty_like(input);
    by_dtype(input, [&](auto zero) {
        using T = decltype(zero);
        compute(double(input.size()), [=, x = in<T>(input), w = in<T>(p.weight), b = in<T>(p.bias),
                                       y = out<T>(output)] { kernels<T>().norm.forward(x, w, b, y, sizes, options); });
    });
    return output;
}

template <class SizesOf>
py::array backward(py::handle input_, py::handle grad_output_, const NormParameters& p, NormParameters grads,
                   const SizesOf& sizes_of, std::optional<double> eps, bool centred, bool accumulate) {
    py::array input = p.converted(input_, "input"), grad_output = as_input(grad_output_, "grad_output", input);
    const NormSizes sizes = sizes_of(input);
    require_same_shape(grad_output, "grad_output", input, "input");
    const NormOptions options = options_for(input, eps, centred);
    input = apart_from(apart_from(input, grads.weight), grads.bias);
    grad_output = apart_from(apart_from(grad_output, grads.weight), grads.bias);
    py::array grad_input = empty_like(input);
    std::vector<double> statistics(grads.weight ? static_cast<std::size_t>(2 * sizes.rows * sizes.groups) : 0);
    by_dtype(input, [&](auto zero) {
        using T = decltype(zero);
        compute(double(input.size()),
                [&, x = in<T>(input), dy = in<T>(grad_output), w = in<T>(p.weight), dx = out<T>(grad_input),
                 dw = out<T>(grads.weight), db = out<T>(grads.bias), stats = grads.weight ? statistics.data() : nullptr,
                 weights = weights_of(sizes, p)] {
                    kernels<T>().norm.backward(x, dy, w, dx, stats, sizes, options);
                    if (!dw) return;
                    kernels<T>().norm.backward_parameters(x, dy, stats, dw, db, 0, weights, sizes, T(accumulate));
                });
    });
    return grad_input;
}

NormParameters gradients_like(const NormParameters& p, py::handle grad_weight, py::handle grad_bias) {
    if (!p.weight && !grad_weight.is_none()) {
        throw py::value_error("grad_weight must not be there where no weight is");
    }
    if (p.weight) as_gradient_of(*p.weight, "weight", grad_weight, "grad_weight");
    return NormParameters(grad_weight, grad_bias, "grad_weight", "grad_bias");
}

}  // namespace

void bind_norms(py::module_& module) {
    module.def(
        "layer_norm_forward",
        [](py::handle input, py::handle weight, py::handle bias, const std::vector<Index>& shape,
           std::optional<double> eps, bool centred) {
            const NormParameters p(weight, bias, "weight", "bias");
            return forward(input, p, LastAxes{shape, p}, eps, centred);
        },
        "input"_a, "weight"_a, "bias"_a, "shape"_a, "eps"_a, "centred"_a);
    module.def(
        "layer_norm_backward",
        [](py::handle input, py::handle grad_output, py::handle weight, py::handle grad_weight, py::handle grad_bias,
           const std::vector<Index>& shape, std::optional<double> eps, bool centred, bool accumulate) {
            const NormParameters p(weight, py::none(), "weight", "bias");
            return backward(input, grad_output, p, gradients_like(p, grad_weight, grad_bias), LastAxes{shape, p}, eps,
                            centred, accumulate);
        },
        "input"_a, "grad_output"_a, "weight"_a, "grad_weight"_a, "grad_bias"_a, "shape"_a, "eps"_a, "centred"_a,
        "accumulate"_a);
    module.def(
        "group_norm_forward",
        [](py::handle input, py::handle weight, py::handle bias, Index groups, Index channels, double eps) {
            const NormParameters p(weight, bias, "weight", "bias");
            p.require_size(channels);
            const auto sizes_of = [=](const py::array& x) { return groups_of_channels(x, groups, channels); };
            return forward(input, p, sizes_of, eps, true);
        },
        "input"_a, "weight"_a, "bias"_a, "groups"_a, "channels"_a, "eps"_a);
    module.def(
        "group_norm_backward",
        [](py::handle input, py::handle grad_output, py::handle weight, py::handle grad_weight, py::handle grad_bias,
           Index groups, Index channels, double eps, bool accumulate) {
            const NormParameters p(weight, py::none(), "weight", "bias");
            p.require_size(channels);
            const auto sizes_of = [=](const py::array& x) { return groups_of_channels(x, groups, channels); };
            return backward(input, grad_output, p, gradients_like(p, grad_weight, grad_bias), sizes_of, eps, true,
                            accumulate);
        },
        "input"_a, "grad_output"_a, "weight"_a, "grad_weight"_a, "grad_bias"_a, "groups"_a, "channels"_a, "eps"_a,
        "accumulate"_a);
}

}  // namespace pynet
