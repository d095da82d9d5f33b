// What modules, criteria and optimizers say of themselves to a plan: a method for each.
#include "bindings/description.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/activations.hpp"
#include "bindings/bindings.hpp"
#include "bindings/collected.hpp"
#include "bindings/optimizers.hpp"

namespace pynet {
namespace {

using namespace py::literals;

// Numbers of the columns, kept for the plan; or null.
template <class T>
std::optional<py::array> kept_numbers(Description& description, const py::object& numbers, const char* name) {
    if (numbers.is_none()) return std::nullopt;
    description.kept.push_back(as_input(numbers, name, py::array(py::dtype::of<T>(), 0)));
    return py::reinterpret_borrow<py::array>(description.kept.back());
}

// The kernel's parameters become arguments, as in activations.cpp.
template <class Kernel, class... Parameters>
void describe_activation(py::class_<Description>& d, const char* name, const Kernel& kernel,
                         const Activation<double, Parameters...>&) {
    d.def(name, [=](Description& self, Parameters... parameters) {
        self.with([=](auto& plan) {
            using T = decltype(type_of(plan));
            plan.add_activation(kernel(T()), T(parameters)...);
        });
    });
}

}  // namespace

void bind_description(py::module_& module) {
    py::class_<Description> d(module, "Plan", collected<Description>());
    refuse_pickles(d);
    d.def(py::init<bool>(), "single"_a);
    d.def("linear", [](Description& self, const py::object& weight, const py::object& bias,
                       const py::object& grad_weight, const py::object& grad_bias) {
        self.with([&](auto& plan) {
            using T = decltype(type_of(plan));
            const py::array w = as_parameter(weight, "W");
            plan.add_linear(self.parameter<T>(weight, grad_weight), self.parameter<T>(bias, grad_bias), w.shape(1),
                            w.shape(0));
        });
    });
    d.def("relu", [](Description& self) { self.with([](auto& plan) { plan.add_relu(); }); });
    for_each_activation(
        [&](const char* name, double, const auto& kernel) { describe_activation(d, name, kernel, kernel(double())); });
    d.def("prelu", [](Description& self, const py::object& weight, const py::object& grad_weight) {
        self.with([&](auto& plan) {
            using T = decltype(type_of(plan));
            plan.add_prelu(self.parameter<T>(weight, grad_weight));
        });
    });
    d.def("softmax", [](Description& self) { self.with([](auto& plan) { plan.add_softmax(); }); });
    d.def("log_softmax", [](Description& self) { self.with([](auto& plan) { plan.add_log_softmax(); }); });
    d.def("dropout", [](Description& self, double p, const py::object& draw) {
        self.with([=](auto& plan) { plan.add_dropout(p); });
        self.draws.push_back(draw);
    });
    d.def("batch_norm",
          [](Description& self, const py::object& weight, const py::object& bias, const py::object& grad_weight,
             const py::object& grad_bias, const py::object& running_mean, const py::object& running_var,
             const py::object& count, double eps, double momentum, bool training) {
              self.with([&](auto& plan) {
                  using T = decltype(type_of(plan));
                  BatchNormArrays<T> arrays{self.parameter<T>(weight, grad_weight),
                                            self.parameter<T>(bias, grad_bias),
                                            self.watch<T>(running_mean),
                                            self.watch<T>(running_var),
                                            as_counter(count, "num_batches_tracked"),
                                            eps,
                                            momentum,
                                            training};
                  self.watched.add_array(count);
                  plan.add_batch_norm(arrays, py::reinterpret_borrow<py::array>(running_mean).size());
              });
          });
    d.def("norm", [](Description& self, const py::object& weight, const py::object& bias, const py::object& grad_weight,
                     const py::object& grad_bias, Index columns, Index groups, Index size, Index positions, double eps,
                     bool centred) {
        self.with([&](auto& plan) {
            using T = decltype(type_of(plan));
            const Parameter<T> w = self.parameter<T>(weight, grad_weight);
            if (groups < 1 || size < 1 || columns % (groups * size) ||
                (w.value && w.size != groups * size / positions)) {
                throw py::value_error("a norm's sizes must be those of its weight");
            }
            plan.add_norm(w, self.parameter<T>(bias, grad_bias), columns, {1, groups, size, positions}, {eps, centred});
        });
    });
    d.def("embed",
          [](Description& self, const py::object& weight, const py::object& grad_weight, Index columns, Index padding) {
              self.with([&](auto& plan) {
                  using T = decltype(type_of(plan));
                  const Parameter<T> p = self.parameter<T>(weight, grad_weight);
                  plan.add_embedding(p, columns, as_parameter(weight, "weight").shape(1), padding);
              });
          });
    d.def("columns_of", [](Description& self, const std::vector<Index>& columns, Index in) {
        self.with([&](auto& plan) { plan.add_columns(columns, in); });
    });
    d.def("begin_residual", [](Description& self) { self.with([](auto& plan) { plan.begin_residual(); }); });
    d.def("end_residual", [](Description& self) { self.with([](auto& plan) { plan.end_residual(); }); });
    d.def("begin_parallel",
          [](Description& self, Index columns) { self.with([=](auto& plan) { plan.begin_parallel(columns); }); });
    d.def("next_branch", [](Description& self) { self.with([](auto& plan) { plan.next_branch(); }); });
    d.def("end_parallel", [](Description& self, bool adds, Index columns) {
        self.with([=](auto& plan) { plan.end_parallel(adds, columns); });
    });
    d.def("watch", [](Description& self, const py::object& owner, const py::str& name) {
        self.watched.add_attribute(owner, name);
    });

    d.def("watch_size", [](Description& self, const py::object& owner) { self.watched.add_size(owner); });

    d.def("loss", [](Description& self, const std::string& name, const std::string& reduction, double number,
                     const py::object& numbers, bool of_logs, bool full) {
        self.with([&](auto& plan) {
            using T = decltype(type_of(plan));
            const std::optional<py::array> kept = kept_numbers<double>(self, numbers, "numbers");
            const LossOptions options{number, in<double>(kept), kept ? kept->size() : 0, of_logs, full};
            plan.set_criterion(std::make_unique<LossCriterion<T>>(loss_named<T>(name), options, over(reduction)));
        });
    });
    d.def("cross_entropy", [](Description& self) {
        self.with([&](auto& plan) {
            using T = decltype(type_of(plan));
            plan.set_criterion(std::make_unique<CrossEntropyCriterion<T>>());
        });
        self.target.takes_labels = true;
    });
    d.def("class_loss", [](Description& self, bool of_logs, const py::object& weight, std::int64_t ignore_index,
                           double label_smoothing, const std::string& reduction) {
        self.with([&](auto& plan) {
            using T = decltype(type_of(plan));
            const std::optional<py::array> weights = kept_numbers<T>(self, weight, "weight");
            const auto& kernel = of_logs ? kernels<T>().nll_loss : kernels<T>().cross_entropy_loss;
            plan.set_criterion(std::make_unique<CrossEntropyLossCriterion<T>>(
                kernel, CrossEntropyLossOptions<T>{in<T>(weights), ignore_index, label_smoothing},
                reduction == "mean"));
        });
        self.target.takes_labels = true;
        self.target.ignored = ignore_index;
    });

    // New numbers of the optimizer that `optimizer` has been told of.
    d.def("update", [](Description& self, const BoundUpdate& update) {
        self.with([&](auto& plan) {
            if (update.options.index() != plan.optimizer.options.index() ||
                states_of(update.options) != states_of(plan.optimizer.options)) {
                throw py::value_error("the update is another optimizer's");
            }
            plan.optimizer.options = update.options;
        });
    });
    d.def("clip", [](Description& self, double norm, double value) {
        self.with([=](auto& plan) { plan.optimizer.clip = {norm, value}; });
    });

    d.def("close", [](Description& self, Index in) { self.with([=](auto& plan) { plan.close(in); }); });
    d.def("parameters", [](Description& self) {
        return self.with([](auto& plan) {
            std::vector<std::uintptr_t> found;
            for (const auto* p : plan.parameters()) found.push_back(reinterpret_cast<std::uintptr_t>(p->value));
            return found;
        });
    });
    d.def("optimizer",
          [](Description& self, const BoundUpdate& update, const std::vector<std::vector<py::object>>& buffers,
             const py::array_t<std::int64_t, py::array::c_style>& steps, const py::object& own) {
              self.with([&](auto& plan) {
                  using T = decltype(type_of(plan));
                  const std::size_t count = plan.parameters().size(), states = states_of(update.options);
                  const bool with_product = keeps_product(update.options);
                  const auto fits = [=](const auto& list) { return std::size_t(list.size()) == count; };
                  if (!fits(steps) || buffers.size() != states + with_product ||
                      !std::all_of(buffers.begin(), buffers.end(), fits)) {
                      throw py::value_error("buffers and steps must be those of the optimizer");
                  }
                  const AllOwn all_own(own, count);
                  for (std::size_t i = 0; i < count; ++i) {
                      Parameter<T>& p = *plan.parameters()[i];
                      p.own = all_own[i];
                      p.counts.steps = static_cast<std::int64_t*>(data_of(steps)) + i;
                      for (std::size_t s = 0; s < states; ++s) p.states.of[s] = self.watch<T>(buffers[s][i]);
                      if (!with_product) continue;
                      p.counts.product = as_product(buffers.back()[i]);
                      self.watched.add_array(buffers.back()[i]);
                  }
                  plan.optimizer.options = update.options;
              });
              self.kept.push_back(steps);
          });
    d.def("writes_into", [](Description& self, const py::array& array) {
        const char* begin = static_cast<const char*>(array.data());
        return self.watched.writes_into(begin, begin + array.nbytes());
    });
    d.def("freeze", [](Description& self) { self.with([](auto& plan) { plan.freeze(); }); });
    d.def("mark_current", [](Description& self) { self.watched.accept(); });
    d.def("mark_options_read", [](Description& self) { self.options = option_changes; });
    d.def_readwrite("flattens", &Description::flattens);
    d.def_property_readonly("columns", [](Description& self) {
        return self.with([](auto& plan) { return py::make_tuple(plan.in(), plan.out()); });
    });
    d.def_property_readonly("needs_two_rows", [](Description& self) {
        return self.with([](auto& plan) { return plan.needs_two_rows(); });
    });
    d.def_property_readonly("refuses",
                            [](Description& self) { return self.with([](auto& plan) { return plan.refuses(); }); });
    d.def_property_readonly("target_columns", [](Description& self) {
        return self.with([](auto& plan) { return plan.target_columns(); });
    });
    d.def_property_readonly("is_current", [](Description& self) { return self.watched.is_as_it_was(); });
}

}  // namespace pynet
