// The parts of the extension module, each in a file of its own.
#pragma once

#include <pybind11/pybind11.h>

namespace pynet {

void bind_runtime(pybind11::module_& module);
void bind_activations(pybind11::module_& module);
void bind_layers(pybind11::module_& module);
void bind_norms(pybind11::module_& module);
void bind_embedding(pybind11::module_& module);
void bind_criteria(pybind11::module_& module);
void bind_losses(pybind11::module_& module);
void bind_optimizers(pybind11::module_& module);
void bind_description(pybind11::module_& module);
void bind_compiled(pybind11::module_& module);
void bind_watch(pybind11::module_& module);

}  // namespace pynet
