// Garbage collection: which Python objects a bound C++ object holds. Without that, Python would never collect a model
// that holds a compiled step of its own.
#pragma once

#include <pybind11/pybind11.h>

#include <utility>

namespace pynet {

namespace py = pybind11;

// Whether an object of a bound class holds a C++ object. Python may ask while pybind11 is still making one, which has
// no place to say so yet: garbage can be collected in there.
inline bool is_made(PyObject* self) {
    const auto* instance = reinterpret_cast<py::detail::instance*>(self);
    return (instance->simple_layout || instance->nonsimple.status) && py::detail::is_holder_constructed(self);
}

// To a class with for_objects(f), which calls f(object) for each it holds, and forget(), which lets all of them go.
// Attributes are those of a subclass in Python: of py::dynamic_attr(), Python 3.11 counts what they hold twice there.
template <class C>
py::custom_type_setup collected() {
    return py::custom_type_setup([](PyHeapTypeObject* heap_type) {
        PyTypeObject& type = heap_type->ht_type;
        type.tp_flags |= Py_TPFLAGS_HAVE_GC;
        type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
            Py_VISIT(Py_TYPE(self));
            if (!is_made(self)) return 0;
            int stop = 0;
            py::handle(self).cast<C&>().for_objects([&](py::handle object) {
                if (stop == 0 && object) stop = visit(object.ptr(), arg);
            });
            return stop;
        };
        type.tp_clear = [](PyObject* self) {
            if (is_made(self)) py::handle(self).cast<C&>().forget();
            return 0;
        };
    });
}

// Empties a list of objects before any of them is let go, which may run code that looks at it.
template <class List>
void let_go(List& list) {
    const List gone = std::move(list);
    list.clear();
}

}  // namespace pynet
