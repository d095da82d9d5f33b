// An optimizer's update with its numbers, as Python hands it to a step or to a plan.
#pragma once

#include "bindings/arrays.hpp"
#include "bindings/constructed.hpp"
#include "plan/optimizer.hpp"

namespace pynet {

struct BoundUpdate {
    OptimizerOptions options;
};

// How many arrays an update needs for each parameter.
inline std::size_t states_of(const OptimizerOptions& options) {
    struct {
        int operator()(const SgdOptions& o) const { return o.momentum != 0; }
        int operator()(const AdamOptions&) const { return 2; }
        int operator()(const NadamOptions&) const { return 2; }
        int operator()(const RmspropOptions& o) const { return 1 + (o.momentum > 0) + o.centered; }
        int operator()(const AdagradOptions&) const { return 1; }
        int operator()(const AdadeltaOptions&) const { return 2; }
    } count;
    return std::size_t(std::visit(count, options));
}

// Whether a number is kept besides, in an array without axes.
inline bool keeps_product(const OptimizerOptions& options) { return std::holds_alternative<NadamOptions>(options); }

// Where it lies.
inline double* as_product(const py::handle& value) {
    const py::array array = as_parameter(value, "product");
    if (array.ndim() != 0 || is_float32(array)) throw py::value_error("product must be a float64 without axes");
    return static_cast<double*>(data_of(array));
}

// What parameters have of their own: an array (parameters, 2) of learning rate ratios and weight decays, or None.
class AllOwn {
 public:
    AllOwn(const py::object& array, std::size_t parameters) {
        if (array.is_none()) return;
        array_ = as_parameter(array, "own");
        if (is_float32(array_) || array_.ndim() != 2 || std::size_t(array_.shape(0)) != parameters ||
            array_.shape(1) != 2) {
            throw py::value_error("own must be a float64 array (parameters, 2)");
        }
        numbers_ = in<double>(array_);
    }
    Own operator[](std::size_t i) const { return numbers_ ? Own{numbers_[2 * i], numbers_[2 * i + 1]} : Own{}; }

 private:
    py::array array_;
    const double* numbers_ = nullptr;
};

}  // namespace pynet

template <>
struct pybind11::detail::type_caster<pynet::BoundUpdate> : pynet::ConstructedCaster<pynet::BoundUpdate> {};
