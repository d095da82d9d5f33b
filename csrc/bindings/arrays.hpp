// NumPy arrays as the kernels see them: the only place that knows NumPy. Shapes are checked here, once.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "bindings/released_gil.hpp"
#include "runtime/index.hpp"

namespace pynet {

namespace py = pybind11;

// Becomes pynet.ShapeError.
struct ShapeError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};
// Becomes pynet.StateError.
struct StateError : std::runtime_error {
    using std::runtime_error::runtime_error;
};
void register_errors();

// A plain ndarray of this type, and of so many axes, that a kernel can read as it lies: found out in nanoseconds.
template <class T>
bool is_ready(py::handle value, int axes);

// Anything array-like as a C-contiguous, aligned, native float32 or float64 array, copied only where it is not one
// already. Without `like` float32 and float64 are kept, with it the result has like's dtype. Throws TypeError.
py::array as_input(py::handle value, const char* name);
py::array as_input(py::handle value, const char* name, const py::array& like);

// Anything array-like as an ndarray, of whatever dtype and layout: to look at its shape first.
py::array as_array(py::handle value, const char* name);

// Classes: int64 labels (batch,) if the target is one-dimensional and integer, else rows in like's dtype.
// Throws unless it has as many rows as `input`, and as many columns, or labels in [0, classes) or equal to ignored.
py::array as_classes(py::handle target, const py::array& input, std::optional<std::int64_t> ignored = {});
bool are_labels(const py::array& target);

// An array that pynet computes with in place: refused, never copied, when it is not C-contiguous, aligned, writable and
// float32 or float64.
py::array as_parameter(py::handle value, const char* name);
py::array as_parameter(const py::list& values, std::size_t position, const char* name);
std::optional<py::array> as_optional_parameter(py::handle value, const char* name);

// The same for what counts: an array without axes, of int64.
std::int64_t* as_counter(py::handle value, const char* name);

bool is_float32(const py::array& array);
bool same_dtype(const py::array& a, const py::array& b);
std::string shape_text(const py::array& array);
void require_same_shape(const py::array& array, const char* name, const py::array& expected, const char* expected_name);
void require_same_dtype(const py::array& array, const char* name, const py::array& expected, const char* expected_name);
void require_length(const py::array& array, const char* name, Index length);
// Refuses an input that is not (batch, channels, ...).
void require_channels(const py::array& input, Index channels);

// The gradient of a parameter, of its shape and dtype: or nothing for None, which a frozen layer gives.
std::optional<py::array> as_gradient_of(const py::array& parameter, const char* parameter_name, py::handle value,
                                        const char* name);

// `array`, or a copy if it shares memory with `written`, which a kernel is about to overwrite.
py::array apart_from(const py::array& array, const std::optional<py::array>& written);

py::array empty_like(const py::array& array);

// The sizes of an ndarray, without a py::array around it.
const py::ssize_t* shape_of(py::handle array);
void* data_of(py::handle array);
// Whether pynet may still write where it lies.
bool is_writable(py::handle array);

// A NumPy scalar of the dtype of `like`.
py::object scalar_like(const py::array& like, double value);

// How many numbers there are along the axes [first, end) together.
inline Index product_of_axes(const py::array& array, py::ssize_t first, py::ssize_t end) {
    Index product = 1;
    for (py::ssize_t axis = first; axis < end; ++axis) product *= array.shape(axis);
    return product;
}
// All leading axes are one batch, the last axis is the row.
inline Index columns(const py::array& array) { return array.ndim() > 0 ? array.shape(array.ndim() - 1) : 1; }
inline Index rows(const py::array& array) { return product_of_axes(array, 0, array.ndim() - 1); }
// Of (batch, channels, positions...).
inline Index positions_of(const py::array& array) { return product_of_axes(array, 2, array.ndim()); }

template <class T>
const T* in(const py::array& array) {
    return static_cast<const T*>(array.data());
}
template <class T>
T* out(py::array& array) {
    return static_cast<T*>(array.mutable_data());
}
template <class T>
const T* in(const std::optional<py::array>& array) {
    return array ? in<T>(*array) : nullptr;
}
template <class T>
T* out(std::optional<py::array>& array) {
    return array ? out<T>(*array) : nullptr;
}

// Calls f(T{}) with the element type of the array.
template <class F>
auto by_dtype(const py::array& array, const F& f) {
    return is_float32(array) ? f(float{}) : f(double{});
}

// What an element costs, in rough operations, to decide whether the GIL is worth releasing.
constexpr double cheap = 1, costly = 20;

// Runs a kernel without the GIL where it takes longer than handing the GIL over; f must not touch Python objects.
template <class F>
auto compute(double operations, const F& f) {
    if (operations < 2e4) return f();
    const ReleasedGil nogil;
    return f();
}

}  // namespace pynet
