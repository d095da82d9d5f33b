#include "bindings/watch.hpp"

#include "bindings/bindings.hpp"

namespace pynet {

void bind_watch(py::module_& module) {
    module.def("structure_changed", [] { ++structure_changes; });
    module.def("options_changed", [] { ++option_changes; });
    py::class_<Watch> watch(module, "Watch", collected<Watch>());
    refuse_pickles(watch);
    watch.def(py::init<>())
        .def("add_attribute", &Watch::add_attribute)
        .def("accept", &Watch::accept)
        .def("is_current", &Watch::is_as_it_was);
}

}  // namespace pynet
