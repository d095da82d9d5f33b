// Threads, instruction set and BLAS, to look at and to set.
#include "bindings/bindings.hpp"
#include "runtime/blas.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/parallel.hpp"

namespace pynet {

void bind_runtime(pybind11::module_& module) {
    using namespace pybind11::literals;
    active_isa();  // a wrong PYNET_ISA fails the import, not a call long after
    module.def("num_threads", &num_threads);
    module.def("set_num_threads", &set_num_threads, "count"_a);
    module.def("isa", [] { return name(active_isa()); });
    module.def("blas", &blas_description);
}

}  // namespace pynet
