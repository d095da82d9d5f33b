// What Python can do to an object of a bound class that would end the process: refused.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <utility>

namespace pynet {

// The caster of bound classes. Of an object whose __init__ has not run, as C.__new__(C) makes it, pybind11 would hand
// out memory that nobody has constructed.
template <class T>
struct ConstructedCaster : pybind11::detail::type_caster_base<T> {
    bool load(pybind11::handle source, bool convert) {
        return this->template load_impl<ConstructedCaster>(source, convert);
    }
    void load_value(pybind11::detail::value_and_holder&& object) {
        if (!object.holder_constructed()) {
            throw pybind11::type_error(std::string(Py_TYPE(object.inst)->tp_name) + ".__init__() was not called");
        }
        pybind11::detail::type_caster_generic::load_value(std::move(object));
    }
};

// For pickles of protocol 0 and 1 Python asks pybind11 for an object of no class, which ends in std::terminate.
template <class Class>
void refuse_pickles(Class& bound) {
    bound.def("__reduce__", [](pybind11::handle self) -> pybind11::object {
        throw pybind11::type_error(std::string("cannot pickle a ") + Py_TYPE(self.ptr())->tp_name);
    });
}

}  // namespace pynet
