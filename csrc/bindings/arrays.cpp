#include "bindings/arrays.hpp"

#include <limits>

namespace pynet {
namespace {

// The objects that a call compares with; kept for ever, so that no call has to look them up.
struct Numpy {
    PyTypeObject* ndarray;
    py::object float32_type, float64_type, as_input, as_classes;
};

const Numpy& numpy() {
    static const Numpy* const cached = [] {
        const py::module_ np = py::module_::import("numpy"), arrays = py::module_::import("pynet.arrays");
        return new Numpy{reinterpret_cast<PyTypeObject*>(py::object(np.attr("ndarray")).release().ptr()),
                         np.attr("float32"), np.attr("float64"), arrays.attr("as_input"), arrays.attr("as_classes")};
    }();
    return *cached;
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

// A plain ndarray whose data a kernel can read as it lies.
bool is_laid_out(py::handle value) {
    return Py_TYPE(value.ptr()) == numpy().ndarray && (proxy(value)->flags & ready_flags) == ready_flags;
}

py::array borrow(py::handle value) { return py::reinterpret_borrow<py::array>(value); }

void require_sane_size(const py::array& array, const char* name) {
    for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
        if (array.shape(axis) > std::numeric_limits<int>::max()) {
            throw ShapeError(std::string(name) + " has an axis longer than 2**31 - 1, which BLAS cannot count (shape " +
                             shape_text(array) + ")");
        }
    }
}

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
        }
    });
}

py::array as_input(py::handle value, const char* name) {
    if (is_laid_out(value) && is_float(kind(value))) return borrow(value);
    py::array array = numpy().as_input(value, name);
    require_sane_size(array, name);
    return array;
}

py::array as_input(py::handle value, const char* name, const py::array& like) {
    if (is_laid_out(value) && kind(value) == kind(like)) return borrow(value);
    py::array array = numpy().as_input(value, name, like.dtype());
    require_sane_size(array, name);
    return array;
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
    } else {
        require_same_shape(classes, "target", input, "input");
    }
    return classes;
}

py::array as_parameter(py::handle value, const char* name) {
    const bool usable = is_laid_out(value) && is_float(kind(value)) &&
                        (proxy(value)->flags & py::detail::npy_api::NPY_ARRAY_WRITEABLE_);
    if (!usable) {
        throw py::value_error(
            std::string(name) +
            " must be a writable, aligned, C-contiguous array of float32 or float64: assign a new one");
    }
    return borrow(value);
}

std::optional<py::array> as_optional_parameter(py::handle value, const char* name) {
    if (value.is_none()) return std::nullopt;
    return as_parameter(value, name);
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
    const bool column =
        expected.ndim() == 2 && expected.shape(1) == 1 && array.ndim() == 1 && array.shape(0) == expected.shape(0);
    if (column) text += "; " + std::string(name) + "[:, None] has it";
    throw ShapeError(text);
}

void require_length(const py::array& array, const char* name, Index length) {
    if (array.ndim() == 1 && array.shape(0) == length) return;
    throw ShapeError(std::string(name) + " has shape " + shape_text(array) + ", expected (" + std::to_string(length) +
                     ",)");
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
    return (is_float32(like) ? numpy().float32_type : numpy().float64_type)(value);
}

Index rows(const py::array& array) {
    Index count = 1;
    for (py::ssize_t axis = 0; axis + 1 < array.ndim(); ++axis) count *= array.shape(axis);
    return count;
}

}  // namespace pynet
