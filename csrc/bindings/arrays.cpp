#include "bindings/arrays.hpp"

#include <algorithm>

namespace pynet {
namespace {

// The objects that a call compares with; kept for ever, so that no call has to look them up.
struct Numpy {
    py::module_ numpy = py::module_::import("numpy"), arrays = py::module_::import("pynet.arrays");
    py::object ndarray = numpy.attr("ndarray"), float32 = numpy.attr("float32"), float64 = numpy.attr("float64");
    py::object as_array = arrays.attr("as_array"), as_input = arrays.attr("as_input"),
               as_classes = arrays.attr("as_classes");
};

const Numpy& numpy() {
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<Numpy> cached;
    return cached.call_once_and_store_result([] { return Numpy(); }).get_stored();
}

const py::detail::PyArray_Proxy* proxy(py::handle array) { return py::detail::array_proxy(array.ptr()); }

constexpr int ready_flags = py::array::c_style | py::detail::npy_api::NPY_ARRAY_ALIGNED_;

enum class Kind { float32, float64, int64, other };

// By number, not by identity: NumPy makes several objects of one dtype, as np.dtype("f4").newbyteorder("=") shows.
Kind kind(py::handle array) {
    const auto* const descr = py::detail::array_descriptor_proxy(proxy(array)->descr);
    if (descr->byteorder == '>') return Kind::other;
    switch (descr->type_num) {
        case py::detail::npy_api::NPY_FLOAT_:
            return Kind::float32;
        case py::detail::npy_api::NPY_DOUBLE_:
            return Kind::float64;
        case py::detail::npy_api::NPY_LONG_:
        case py::detail::npy_api::NPY_LONGLONG_:
            return Kind::int64;
        default:
            return Kind::other;
    }
}

bool is_float(Kind kind) { return kind == Kind::float32 || kind == Kind::float64; }

bool is_plain(py::handle value) { return py::type::handle_of(value).is(numpy().ndarray); }

// A plain ndarray whose data a kernel can read as it lies.
bool is_laid_out(py::handle value) { return is_plain(value) && (proxy(value)->flags & ready_flags) == ready_flags; }

py::array borrow(py::handle value) { return py::reinterpret_borrow<py::array>(value); }

void require_labels(const py::array& labels, Index classes, std::optional<std::int64_t> ignored) {
    const std::int64_t* label = in<std::int64_t>(labels);
    for (Index n = 0; n < labels.size(); ++n) {
        if ((label[n] >= 0 && label[n] < classes) || (ignored && label[n] == *ignored)) continue;
        throw py::value_error("target has label " + std::to_string(label[n]) + " in row " + std::to_string(n) +
                              ", expected 0 to " + std::to_string(classes - 1));
    }
}

}  // namespace

void register_errors() {
    py::register_local_exception_translator([](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const ShapeError& error) {
            py::set_error(py::module_::import("pynet.errors").attr("ShapeError"), error.what());
        } catch (const StateError& error) {
            py::set_error(py::module_::import("pynet.errors").attr("StateError"), error.what());
        }
    });
}

template <>
bool is_ready<float>(py::handle value, int axes) {
    return is_laid_out(value) && proxy(value)->nd == axes && kind(value) == Kind::float32;
}
template <>
bool is_ready<double>(py::handle value, int axes) {
    return is_laid_out(value) && proxy(value)->nd == axes && kind(value) == Kind::float64;
}
template <>
bool is_ready<std::int64_t>(py::handle value, int axes) {
    return is_laid_out(value) && proxy(value)->nd == axes && kind(value) == Kind::int64;
}

const py::ssize_t* shape_of(py::handle array) { return proxy(array)->dimensions; }
void* data_of(py::handle array) { return proxy(array)->data; }
bool is_writable(py::handle array) { return proxy(array)->flags & py::detail::npy_api::NPY_ARRAY_WRITEABLE_; }

py::array as_array(py::handle value, const char* name) {
    return is_plain(value) ? borrow(value) : py::array(numpy().as_array(value, name));
}

py::array as_input(py::handle value, const char* name) {
    if (is_laid_out(value) && is_float(kind(value))) return borrow(value);
    return numpy().as_input(value, name);
}

py::array as_input(py::handle value, const char* name, const py::array& like) {
    if (is_laid_out(value) && kind(value) == kind(like)) return borrow(value);
    return numpy().as_input(value, name, like.dtype());
}

bool are_labels(const py::array& target) { return kind(target) == Kind::int64; }

py::array as_classes(py::handle target, const py::array& input, std::optional<std::int64_t> ignored) {
    if (input.ndim() != 2) {
        throw ShapeError("input has shape " + shape_text(input) + ", expected 2 axes: (batch, classes)");
    }
    if (input.shape(0) == 0) throw py::value_error("input has no rows: the loss of an empty batch is not defined");
    const bool ready =
        is_laid_out(target) && (kind(target) == kind(input) || (kind(target) == Kind::int64 && proxy(target)->nd == 1));
    const py::array classes = ready ? borrow(target) : py::array(numpy().as_classes(target, input.dtype()));
    if (are_labels(classes)) {
        require_length(classes, "target", input.shape(0));
        require_labels(classes, input.shape(1), ignored);
    } else if (classes.ndim() == 1) {
        throw ShapeError("target has shape " + shape_text(classes) +
                         " and is not of integers, expected integer labels or rows of shape " + shape_text(input));
    } else if (classes.ndim() == 2 && classes.shape(1) == 1 && input.shape(1) > 1) {
        throw ShapeError("target has shape " + shape_text(classes) + ", expected " + shape_text(input) +
                         " as input, or one axis of integer labels, as target[:, 0]");
    } else {
        require_same_shape(classes, "target", input, "input");
    }
    return classes;
}

static bool is_parameter(py::handle value) {
    return is_laid_out(value) && is_float(kind(value)) &&
           (proxy(value)->flags & py::detail::npy_api::NPY_ARRAY_WRITEABLE_);
}

[[noreturn]] static void refuse_parameter(const std::string& name) {
    throw py::value_error(name +
                          " must be a writable, aligned, C-contiguous array of float32 or float64: assign a new one");
}

py::array as_parameter(py::handle value, const char* name) {
    if (!is_parameter(value)) refuse_parameter(name);
    return borrow(value);
}

py::array as_parameter(const py::list& values, std::size_t position, const char* name) {
    const py::object value = values[position];
    if (!is_parameter(value)) refuse_parameter(std::string(name) + "[" + std::to_string(position) + "]");
    return borrow(value);
}

std::optional<py::array> as_optional_parameter(py::handle value, const char* name) {
    if (value.is_none()) return std::nullopt;
    return as_parameter(value, name);
}

std::int64_t* as_counter(py::handle value, const char* name) {
    if (!is_ready<std::int64_t>(value, 0) || !is_writable(value)) {
        throw py::value_error(std::string(name) + " must be a writable array without axes, of int64");
    }
    return static_cast<std::int64_t*>(data_of(value));
}

bool is_float32(const py::array& array) { return kind(array) == Kind::float32; }

bool same_dtype(const py::array& a, const py::array& b) { return kind(a) == kind(b); }

std::string shape_text(const py::array& array) {
    std::string text = "(";
    for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
        text += (axis ? ", " : "") + std::to_string(array.shape(axis));
    }
    return text + (array.ndim() == 1 ? ",)" : ")");
}

void require_same_shape(const py::array& array, const char* name, const py::array& expected,
                        const char* expected_name) {
    const bool same =
        array.ndim() == expected.ndim() && std::equal(array.shape(), array.shape() + array.ndim(), expected.shape());
    if (same) return;
    std::string text = std::string(name) + " has shape " + shape_text(array) + ", expected " + shape_text(expected) +
                       " as " + expected_name;
    const auto is_column_of = [](const py::array& a, const py::array& b) {
        return a.ndim() == 2 && a.shape(1) == 1 && b.ndim() == 1 && a.shape(0) == b.shape(0);
    };
    if (is_column_of(expected, array)) text += "; " + std::string(name) + "[:, None] has it";
    if (is_column_of(array, expected)) text += "; " + std::string(name) + "[:, 0] has it";
    throw ShapeError(text);
}

void require_same_dtype(const py::array& array, const char* name, const py::array& expected,
                        const char* expected_name) {
    if (same_dtype(array, expected)) return;
    throw py::value_error(std::string(name) + " must have the dtype of " + expected_name);
}

void require_length(const py::array& array, const char* name, Index length) {
    if (array.ndim() == 1 && array.shape(0) == length) return;
    throw ShapeError(std::string(name) + " has shape " + shape_text(array) + ", expected (" + std::to_string(length) +
                     ",)");
}

void require_channels(const py::array& input, Index channels) {
    const std::string text = std::to_string(channels);
    if (input.ndim() < 2) {
        throw ShapeError("input has shape " + shape_text(input) + ", expected at least 2 axes (batch, " + text +
                         ", ...)");
    }
    if (input.shape(1) != channels) {
        throw ShapeError("input has " + std::to_string(input.shape(1)) + " channels, expected " + text + " (shape " +
                         shape_text(input) + ")");
    }
}

std::optional<py::array> as_gradient_of(const py::array& parameter, const char* parameter_name, py::handle value,
                                        const char* name) {
    std::optional<py::array> gradient = as_optional_parameter(value, name);
    if (!gradient) return gradient;
    require_same_shape(*gradient, name, parameter, parameter_name);
    require_same_dtype(*gradient, name, parameter, parameter_name);
    return gradient;
}

py::array apart_from(const py::array& array, const std::optional<py::array>& written) {
    if (!written) return array;
    const char *a = static_cast<const char*>(array.data()), *b = static_cast<const char*>(written->data());
    if (a + array.nbytes() <= b || b + written->nbytes() <= a) return array;
    return array.attr("copy")();
}

py::array empty_like(const py::array& array) {
    return py::array(array.dtype(), py::array::ShapeContainer(array.shape(), array.shape() + array.ndim()));
}

py::object scalar_like(const py::array& like, double value) {
    return (is_float32(like) ? numpy().float32 : numpy().float64)(value);
}

}  // namespace pynet
