// A plan for Python: in float or double, with the Python objects that it needs.
#pragma once

#include <optional>
#include <variant>

#include "bindings/arrays.hpp"
#include "bindings/watch.hpp"
#include "plan/plan.hpp"

namespace pynet {

// What a target is compared with.
struct TargetKind {
    bool takes_labels = false;
    std::optional<std::int64_t> ignored;
};

// A plan in float or double, with the Python objects that it needs.
class Description {
 public:
    explicit Description(bool single) : options(option_changes) {
        if (single) {
            plan = std::make_unique<Plan<float>>();
        } else {
            plan = std::make_unique<Plan<double>>();
        }
    }

    // f(plan)
    template <class F>
    auto with(const F& f) {
        return std::visit([&](auto& p) { return f(*p); }, plan);
    }

    template <class T>
    T* watch(const py::object& array) {
        if (array.is_none()) return nullptr;
        const py::array checked = as_parameter(array, "parameter");
        if (is_float32(checked) != (sizeof(T) == 4)) throw py::value_error("all parameters must have one dtype");
        watched.add_array(array);
        return static_cast<T*>(data_of(array));
    }
    // Without a gradient it is frozen.
    template <class T>
    Parameter<T> parameter(const py::object& value, const py::object& gradient) {
        Parameter<T> p;
        p.value = watch<T>(value);
        if (!p.value) return p;
        p.gradient = watch<T>(gradient);
        p.size = py::reinterpret_borrow<py::array>(value).size();
        return p;
    }

    template <class F>
    void for_objects(const F& f) const {
        watched.for_objects(f);
        for (const py::object& object : kept) f(object);
        for (const py::object& object : draws) f(object);
    }
    void forget() {
        watched.forget();
        let_go(kept);
        let_go(draws);
    }

    std::variant<std::unique_ptr<Plan<float>>, std::unique_ptr<Plan<double>>> plan;
    Watch watched;
    std::vector<py::object> kept, draws;  // draws: of each Dropout, a function that returns its next number
    TargetKind target;
    bool flattens = false;
    std::uint64_t options;
};

// The element type of a plan, for decltype.
template <class T>
T type_of(const Plan<T>&);

}  // namespace pynet

template <>
struct pybind11::detail::type_caster<pynet::Description> : pynet::ConstructedCaster<pynet::Description> {};
