// What the criteria's bindings share: batches that are not empty, and a weight for each row.
#pragma once

#include <cmath>

#include "bindings/arrays.hpp"
#include "plan/row_weights.hpp"

namespace pynet {

inline void require_rows(const py::array& input) {
    if (input.ndim() == 0) throw ShapeError("input has no axes, expected (batch, ...)");
    if (input.shape(0) == 0) {
        throw py::value_error("input is empty (shape " + shape_text(input) +
                              "): the loss of an empty batch is not defined");
    }
}

// One number for each row, in the dtype of `like`: or nothing for None.
inline std::optional<py::array> as_row_weights(py::handle value, const py::array& like, Index rows) {
    if (value.is_none()) return std::nullopt;
    const py::array weights = as_input(value, "weight", like);
    if (weights.ndim() != 1 || weights.shape(0) != rows) {
        throw ShapeError("weight has shape " + shape_text(weights) + ", expected (" + std::to_string(rows) +
                         ",): one for each row");
    }
    by_dtype(weights, [&](auto zero) {
        const auto* weight = in<decltype(zero)>(weights);
        for (Index n = 0; n < weights.size(); ++n) {
            if (weight[n] >= 0 && std::isfinite(weight[n])) continue;
            throw py::value_error("weight must be finite and not negative, got " + std::to_string(weight[n]) +
                                  " in row " + std::to_string(n));
        }
    });
    return weights;
}

}  // namespace pynet
