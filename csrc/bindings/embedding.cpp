// Embedding: indices of any shape, as integers or as floats that are whole numbers.
#include <cmath>
#include <cstring>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "kernels/kernels.hpp"

namespace pynet {
namespace {

using namespace py::literals;

// Where an element of an array stands: (0, 3).
std::string place_of(const py::array& array, Index element) {
    std::string text;
    for (py::ssize_t axis = array.ndim(); axis-- > 0;) {
        const std::string position = std::to_string(element % array.shape(axis));
        text = text.empty() ? position + (array.ndim() == 1 ? "," : "") : position + ", " + text;
        element /= array.shape(axis);
    }
    return "(" + text + ")";
}

[[noreturn]] void refuse(const py::array& array, Index element, Index embeddings) {
    const py::object value = array.attr("flat")[py::int_(element)];
    throw py::value_error("input has index " + std::string(py::str(value)) + " at " + place_of(array, element) +
                          ", expected whole numbers from 0 to " + std::to_string(embeddings - 1));
}

// Indices below `embeddings`: checked, for rows are read and written at them. A double holds every one there may be.
std::vector<Index> as_indices(const py::array& array, Index embeddings) {
    const py::array numbers = as_input(array, "input", py::array(py::dtype::of<double>(), 0));
    const double* values = in<double>(numbers);
    std::vector<Index> indices(static_cast<std::size_t>(array.size()));
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const double value = values[i];
        if (!(value >= 0 && value < double(embeddings) && value == std::floor(value))) {
            refuse(array, Index(i), embeddings);
        }
        indices[i] = Index(value);
    }
    return indices;
}

py::array as_weight(py::handle value) {
    const py::array weight = as_parameter(value, "weight");
    if (weight.ndim() != 2) {
        throw ShapeError("weight has shape " + shape_text(weight) + ", expected 2 axes (indices, dim)");
    }
    return weight;
}

py::array with_axis(const py::array& like, Index dim, const py::dtype& dtype) {
    py::array::ShapeContainer shape(like.shape(), like.shape() + like.ndim());
    shape->push_back(dim);
    return py::array(dtype, shape);
}

}  // namespace

void bind_embedding(py::module_& module) {
    module.def(
        "embedding_forward",
        [](py::handle input, py::handle weight_) {
            const py::array weight = as_weight(weight_), at = as_array(input, "input");
            const std::vector<Index> indices = as_indices(at, weight.shape(0));
            py::array output = with_axis(at, weight.shape(1), weight.dtype());
            by_dtype(weight, [&](auto zero) {
                using T = decltype(zero);
                compute(double(output.size()), [&, w = in<T>(weight), y = out<T>(output), dim = weight.shape(1)] {
                    kernels<T>().embedding.forward(indices.data(), w, y, Index(indices.size()), dim);
                });
            });
            return output;
        },
        "input"_a, "weight"_a);
    module.def(
        "embedding_backward",
        [](py::handle input, py::handle grad_output_, py::handle weight_, py::handle grad_weight_, Index padding,
           bool accumulate) {
            const py::array weight = as_weight(weight_), at = as_array(input, "input");
            std::optional<py::array> grad_weight = as_gradient_of(weight, "weight", grad_weight_, "grad_weight");
            const Index embeddings = weight.shape(0), dim = weight.shape(1);
            const std::vector<Index> indices = as_indices(at, embeddings);
            py::array grad_output = as_input(grad_output_, "grad_output", weight);
            if (grad_output.ndim() != at.ndim() + 1 || columns(grad_output) != dim ||
                !std::equal(at.shape(), at.shape() + at.ndim(), grad_output.shape())) {
                const py::array expected = with_axis(at, dim, weight.dtype());
                throw ShapeError("grad_output has shape " + shape_text(grad_output) + ", expected " +
                                 shape_text(expected));
            }
            grad_output = apart_from(grad_output, grad_weight);
            py::array grad_input(weight.dtype(), py::array::ShapeContainer(at.shape(), at.shape() + at.ndim()));
            std::memset(grad_input.mutable_data(), 0, static_cast<std::size_t>(grad_input.nbytes()));
            if (!grad_weight) return grad_input;
            std::vector<Index> starts(static_cast<std::size_t>(embeddings + 1)), order(indices.size());
            by_dtype(weight, [&](auto zero) {
                using T = decltype(zero);
                compute(
                    double(grad_output.size() + weight.size()), [&, dy = in<T>(grad_output), dw = out<T>(grad_weight)] {
                        const auto& kernel = kernels<T>().embedding;
                        kernel.sort(indices.data(), starts.data(), order.data(), Index(indices.size()), embeddings);
                        kernel.backward({starts.data(), order.data()}, dy, dw, embeddings, dim, padding, T(accumulate));
                    });
            });
            return grad_input;
        },
        "input"_a, "grad_output"_a, "weight"_a, "grad_weight"_a, "padding"_a, "accumulate"_a);
}

}  // namespace pynet
