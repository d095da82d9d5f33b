// pynet._core: the kernels for Python. Names are those of the kernels; policy stays in Python.
#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
    module.doc() = "The compiled kernels of pynet; pynet's modules, criteria and optimizers call them.";
    pynet::register_errors();
    pynet::bind_runtime(module);
    pynet::bind_activations(module);
    pynet::bind_layers(module);
    pynet::bind_norms(module);
    pynet::bind_embedding(module);
    pynet::bind_criteria(module);
    pynet::bind_optimizers(module);
    pynet::bind_watch(module);
    pynet::bind_description(module);
    pynet::bind_compiled(module);
}
