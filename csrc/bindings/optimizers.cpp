// The optimizers: one call over all parameters. Everything is checked before anything moves.
#include "bindings/optimizers.hpp"

#include <pybind11/stl.h>

#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/bindings.hpp"
#include "kernels/kernels.hpp"

namespace pynet {
namespace {

using namespace py::literals;

// How many steps each parameter has made; counted here, where a step is made.
using Steps = py::array_t<std::int64_t, py::array::c_style>;

// The i-th parameter's array in each of several parallel lists, all alike.
class Parallel {
 public:
    Parallel(const py::list& parameters, const std::vector<std::pair<const char*, py::list>>& others) {
        for (const auto& [name, list] : others) {
            if (list.size() != parameters.size())
                throw py::value_error(std::string(name) + " must have one entry per parameter");
        }
        arrays_.reserve(parameters.size());
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            std::vector<py::array> alike{as_parameter(parameters, i, "parameters")};
            for (const auto& [name, list] : others) {
                alike.push_back(as_parameter(list, i, name));
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

// Moves one parameter: arrays are itself, its gradient, and the optimizer's.
template <class T, class Options>
void move(std::vector<py::array>& arrays, const Turn<Options>& turn) {
    States<T> states;
    for (std::size_t i = 2; i < arrays.size(); ++i) states.of[i - 2] = out<T>(arrays[i]);
    const Index size = arrays[0].size();
    compute(double(size), [&, p = out<T>(arrays[0]), g = in<T>(arrays[1])] {
        (kernels<T>().*Options::template kernel<T>).step(p, g, states, size, turn.options, turn.moment);
    });
}

void step(const BoundUpdate& update, const py::list& parameters, const py::list& grads,
          const std::vector<py::list>& buffers, Steps& steps, const py::object& own) {
    const std::size_t states = states_of(update.options);
    const bool with_product = keeps_product(update.options);
    if (buffers.size() != states + with_product) throw py::value_error("buffers must be those of the optimizer");
    std::vector<std::pair<const char*, py::list>> others{{"grads", grads}};
    for (std::size_t s = 0; s < states; ++s) others.emplace_back("buffers", buffers[s]);
    Parallel all(parameters, others);
    if (std::size_t(steps.size()) != all.size() || (with_product && buffers.back().size() != all.size())) {
        throw py::value_error("steps and products must have one entry per parameter");
    }
    const AllOwn all_own(own, all.size());
    std::vector<Counts> counts;
    for (std::size_t i = 0; i < all.size(); ++i) {
        counts.push_back({steps.mutable_data() + i, nullptr});
        if (with_product) counts.back().product = as_product(py::object(buffers.back()[i]));
    }
    std::visit(
        [&](const auto& options) {
            for (std::size_t i = 0; i < all.size(); ++i) {
                const Turn turn(options, counts[i], all_own[i]);
                by_dtype(all[i][0], [&](auto zero) { move<decltype(zero)>(all[i], turn); });
                turn.count(counts[i]);
            }
        },
        update.options);
}

}  // namespace

void bind_optimizers(py::module_& module) {
    py::class_<BoundUpdate> bound(module, "Update");
    refuse_pickles(bound);
    bound
        .def_static(
            "sgd",
            [](double lr, double momentum, double dampening, double weight_decay, bool nesterov) {
                return BoundUpdate{SgdOptions{lr, momentum, dampening, weight_decay, nesterov}};
            },
            "lr"_a, "momentum"_a, "dampening"_a, "weight_decay"_a, "nesterov"_a)
        .def_static(
            "adam",
            [](double lr, double beta1, double beta2, double eps, double weight_decay, bool decoupled) {
                return BoundUpdate{AdamOptions{lr, beta1, beta2, eps, weight_decay, decoupled}};
            },
            "lr"_a, "beta1"_a, "beta2"_a, "eps"_a, "weight_decay"_a, "decoupled"_a)
        .def_static(
            "nadam",
            [](double lr, double beta1, double beta2, double eps, double weight_decay, double momentum_decay) {
                return BoundUpdate{NadamOptions{lr, beta1, beta2, eps, weight_decay, momentum_decay}};
            },
            "lr"_a, "beta1"_a, "beta2"_a, "eps"_a, "weight_decay"_a, "momentum_decay"_a)
        .def_static(
            "rmsprop",
            [](double lr, double alpha, double eps, double weight_decay, double momentum, bool centered) {
                return BoundUpdate{RmspropOptions{lr, alpha, eps, weight_decay, momentum, centered}};
            },
            "lr"_a, "alpha"_a, "eps"_a, "weight_decay"_a, "momentum"_a, "centered"_a)
        .def_static(
            "adagrad",
            [](double lr, double lr_decay, double weight_decay, double eps) {
                return BoundUpdate{AdagradOptions{lr, lr_decay, weight_decay, eps}};
            },
            "lr"_a, "lr_decay"_a, "weight_decay"_a, "eps"_a)
        .def_static(
            "adadelta",
            [](double lr, double rho, double eps, double weight_decay) {
                return BoundUpdate{AdadeltaOptions{lr, rho, eps, weight_decay}};
            },
            "lr"_a, "rho"_a, "eps"_a, "weight_decay"_a);
    module.def("optimizer_step", step, "update"_a, "parameters"_a, "grads"_a, "buffers"_a, "steps"_a, "own"_a);
}

}  // namespace pynet
