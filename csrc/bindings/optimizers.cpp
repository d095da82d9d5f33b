// The optimizers: one call over all parameters. Everything is checked before anything moves.
#include <pybind11/stl.h>

#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "kernels/kernels.hpp"
#include "plan/optimizer.hpp"

namespace pynet {
namespace {

using namespace py::literals;

// How many steps each parameter has made; counted here, where a step is made.
using Steps = py::array_t<std::int64_t, py::array::c_style>;

// The i-th parameter's array in each of several parallel lists, all alike.
class Parallel {
 public:
    Parallel(const py::list& parameters, std::initializer_list<std::pair<const char*, const py::list*>> others) {
        for (const auto& [name, list] : others) {
            if (list->size() != parameters.size())
                throw py::value_error(std::string(name) + " must have one entry per parameter");
        }
        arrays_.reserve(parameters.size());
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            std::vector<py::array> alike{as_parameter(parameters, i, "parameters")};
            for (const auto& [name, list] : others) {
                alike.push_back(as_parameter(*list, i, name));
                require_same_shape(alike.back(), name, alike[0], "its parameter");
                if (!same_dtype(alike.back(), alike[0])) {
                    throw py::value_error(std::string(name) + " must have their parameters' dtypes");
                }
            }
            arrays_.push_back(std::move(alike));
        }
    }
    std::size_t size() const { return arrays_.size(); }
    std::vector<py::array>& operator[](std::size_t i) { return arrays_[i]; }

 private:
    std::vector<std::vector<py::array>> arrays_;
};

std::int64_t* counts(Steps& steps, std::size_t parameters) {
    if (std::size_t(steps.size()) != parameters) throw py::value_error("steps must have one entry per parameter");
    return steps.mutable_data();
}

void bind_sgd(py::module_& module) {
    module.def(
        "sgd_step",
        [](const py::list& parameters, const py::list& grads, const std::optional<py::list>& velocities, Steps& steps,
           double lr, double momentum, double dampening, double weight_decay, bool nesterov) {
            Parallel all = velocities ? Parallel(parameters, {{"grads", &grads}, {"velocities", &*velocities}})
                                      : Parallel(parameters, {{"grads", &grads}});
            std::int64_t* const made = counts(steps, all.size());
            const SgdOptions options{lr, momentum, dampening, weight_decay, nesterov};
            for (std::size_t i = 0; i < all.size(); ++i) {
                const bool first = made[i] == 0;
                by_dtype(all[i][0], [&](auto zero) {
                    using T = decltype(zero);
                    compute(double(all[i][0].size()),
                            [&, p = out<T>(all[i][0]), g = in<T>(all[i][1]), size = all[i][0].size(),
                             v = velocities ? out<T>(all[i][2]) : nullptr] {
                                kernels<T>().sgd.step(p, g, v, size, options, first);
                            });
                });
            }
            for (std::size_t i = 0; i < all.size(); ++i) ++made[i];
        },
        "parameters"_a, "grads"_a, "velocities"_a, "steps"_a, "lr"_a, "momentum"_a, "dampening"_a, "weight_decay"_a,
        "nesterov"_a);
}

void bind_adam(py::module_& module) {
    module.def(
        "adam_step",
        [](const py::list& parameters, const py::list& grads, const py::list& means, const py::list& squares,
           Steps& steps, double lr, double beta1, double beta2, double eps, double weight_decay, bool decoupled) {
            Parallel all(parameters, {{"grads", &grads}, {"means", &means}, {"squares", &squares}});
            std::int64_t* const made = counts(steps, all.size());
            const AdamOptions options{lr, beta1, beta2, eps, weight_decay, decoupled};
            for (std::size_t i = 0; i < all.size(); ++i) {
                const double t = double(made[i] + 1);
                by_dtype(all[i][0], [&](auto zero) {
                    using T = decltype(zero);
                    compute(double(all[i][0].size()), [&, p = out<T>(all[i][0]), g = in<T>(all[i][1]),
                                                       m = out<T>(all[i][2]), v = out<T>(all[i][3]),
                                                       size = all[i][0].size()] {
                        kernels<T>().adam.step(p, g, m, v, size, options, correction(beta1, t), correction(beta2, t));
                    });
                });
            }
            for (std::size_t i = 0; i < all.size(); ++i) ++made[i];
        },
        "parameters"_a, "grads"_a, "means"_a, "squares"_a, "steps"_a, "lr"_a, "beta1"_a, "beta2"_a, "eps"_a,
        "weight_decay"_a, "decoupled"_a);
}

}  // namespace

void bind_optimizers(py::module_& module) {
    bind_sgd(module);
    bind_adam(module);
}

}  // namespace pynet
