// Whether a model is still what it was when somebody looked: found out in nanoseconds, at every call.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/collected.hpp"
#include "bindings/constructed.hpp"

namespace pynet {

// Counted up whenever something is assigned that somebody has looked at: all models together, since one comparison is
// cheaper than knowing which. Options are those of optimizers, which change often and are read quickly.
inline std::atomic<std::uint64_t> structure_changes{0}, option_changes{0};

// An array that is computed in, and where it lay.
struct Watched {
    py::object array;
    void *data, *end;

    bool is_as_it_was() const { return data_of(array) == data && is_writable(array); }
};

// An attribute that modules and users assign without telling, and what was in it if it is a list.
struct WatchedAttribute {
    py::dict attributes;
    py::str name;
    py::object value;  // null: there was none
    std::vector<py::object> items;

    WatchedAttribute(const py::object& owner, const py::str& name_) : attributes(owner.attr("__dict__")), name(name_) {
        value = py::reinterpret_borrow<py::object>(PyDict_GetItem(attributes.ptr(), name.ptr()));
        if (!value || !PyList_Check(value.ptr())) return;
        for (const auto item : value) items.push_back(py::reinterpret_borrow<py::object>(item));
    }
    bool is_as_it_was() const {
        if (PyDict_GetItem(attributes.ptr(), name.ptr()) != value.ptr()) return false;
        if (!value || !PyList_Check(value.ptr())) return true;
        if (std::size_t(PyList_GET_SIZE(value.ptr())) != items.size()) return false;
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (PyList_GET_ITEM(value.ptr(), py::ssize_t(i)) != items[i].ptr()) return false;
        }
        return true;
    }
};

// How many attributes an object has: a forward or backward of its own would be one more.
struct WatchedSize {
    py::dict attributes;
    py::ssize_t size;

    bool is_as_it_was() const { return PyDict_GET_SIZE(attributes.ptr()) == size; }
};

class Watch {
 public:
    void add_array(const py::object& array) {
        char* data = static_cast<char*>(data_of(array));
        arrays_.push_back({array, data, data + py::reinterpret_borrow<py::array>(array).nbytes()});
    }
    void add_attribute(const py::object& owner, const py::str& name) { attributes_.emplace_back(owner, name); }
    void add_size(const py::object& owner) {
        const py::dict attributes = owner.attr("__dict__");
        sizes_.push_back({attributes, py::ssize_t(attributes.size())});
    }
    // What has been counted up to now is known.
    void accept() { structure_ = structure_changes; }

    bool is_as_it_was() const {
        if (structure_ != structure_changes.load(std::memory_order_relaxed)) return false;
        for (const Watched& w : arrays_) {
            if (!w.is_as_it_was()) return false;
        }
        for (const WatchedAttribute& w : attributes_) {
            if (!w.is_as_it_was()) return false;
        }
        for (const WatchedSize& w : sizes_) {
            if (!w.is_as_it_was()) return false;
        }
        return true;
    }
    template <class F>
    void for_objects(const F& f) const {
        for (const Watched& w : arrays_) f(w.array);
        for (const WatchedAttribute& w : attributes_) {
            f(w.attributes);
            f(w.value);
            for (const py::object& item : w.items) f(item);
        }
        for (const WatchedSize& w : sizes_) f(w.attributes);
    }
    void forget() {
        structure_ = never;
        let_go(arrays_);
        let_go(attributes_);
        let_go(sizes_);
    }
    // Whether one of the arrays lies between these addresses.
    bool writes_into(const void* begin, const void* end) const {
        for (const Watched& w : arrays_) {
            if (w.data < end && begin < w.end) return true;
        }
        return false;
    }

 private:
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    std::vector<Watched> arrays_;
    std::vector<WatchedAttribute> attributes_;
    std::vector<WatchedSize> sizes_;
    std::uint64_t structure_ = structure_changes;
};

}  // namespace pynet

template <>
struct pybind11::detail::type_caster<pynet::Watch> : pynet::ConstructedCaster<pynet::Watch> {};
