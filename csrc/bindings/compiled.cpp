// Compiled steps and predictions: calls that cost next to nothing.
#include <pthread.h>

#include <atomic>
#include <chrono>

#include "bindings/bindings.hpp"
#include "bindings/collected.hpp"
#include "bindings/description.hpp"
#include "bindings/row_weights.hpp"

namespace pynet {
namespace {
class Step;
class Predict;
}  // namespace
}  // namespace pynet

template <>
struct pybind11::detail::type_caster<pynet::Step> : pynet::ConstructedCaster<pynet::Step> {};
template <>
struct pybind11::detail::type_caster<pynet::Predict> : pynet::ConstructedCaster<pynet::Predict> {};

namespace pynet {

namespace {

using namespace py::literals;

// Work from which on the GIL is worth handing over.
constexpr double long_work = 2e6;

// Forked children count on: in one of them, nobody is in what another process was in when it forked.
std::atomic<int> process_generation{1};
[[maybe_unused]] const int counts_on = pthread_atfork(nullptr, nullptr, [] { ++process_generation; });

// One training step of a model at a time: what all steps of a model share. The generation of the process that is in
// one, or 0.
struct Busy {
    std::atomic<int> now{0};
};

class Entered {
 public:
    explicit Entered(Busy& busy) : busy_(busy) {
        const int mine = process_generation.load(std::memory_order_relaxed);
        if (busy_.now.exchange(mine) == mine) {
            throw StateError("another thread is in a step of this model: one at a time");
        }
    }
    ~Entered() { busy_.now = 0; }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

 private:
    Busy& busy_;
};

template <class T>
struct Rows {
    const T* x;
    Target<T> target;
    Index count;
};

// Whether labels are classes; copies them, which another thread might write while they are used, if there is where to.
bool are_classes(const std::int64_t* labels, Index count, Index classes, std::optional<std::int64_t> ignored,
                 std::int64_t* copy) {
    bool wrong = false;
    for (Index n = 0; n < count; ++n) {
        const std::int64_t label = labels[n];
        wrong |= (label < 0 || label >= classes) && !(ignored && label == *ignored);
        if (copy) copy[n] = label;
    }
    return !wrong;
}

// Looks whether arrays can be used as they lie; labels are not looked into.
template <class T>
bool are_rows(const Plan<T>& plan, const Description& description, py::handle x, py::handle y, Rows<T>& rows) {
    if (!is_ready<T>(x, 2) || shape_of(x)[1] != plan.in()) return false;
    const Index count = shape_of(x)[0];
    rows = {static_cast<const T*>(data_of(x)), {nullptr, nullptr}, count};
    if (description.watched.writes_into(rows.x, rows.x + count * plan.in())) return false;
    if (description.target.takes_labels && is_ready<std::int64_t>(y, 1)) {
        rows.target.labels = static_cast<const std::int64_t*>(data_of(y));
        return shape_of(y)[0] == count;
    }
    rows.target.values = is_ready<T>(y, 2) ? static_cast<const T*>(data_of(y)) : nullptr;
    return rows.target.values && shape_of(y)[0] == count && shape_of(y)[1] == plan.target_columns();
}

// Batches must be rows of `order`, one after another, with a place for the loss of each.
void require_batches(const py::array_t<std::int64_t, py::array::c_style>& order,
                     const py::array_t<std::int64_t, py::array::c_style>& ends, Index start, const py::array& losses) {
    if (order.ndim() != 1 || ends.ndim() != 1 || start < 0) throw py::value_error("order and ends must have one axis");
    Index before = 0;
    for (Index b = 0; b < ends.size(); ++b) {
        const Index end = ends.data()[b];
        if (end <= before || end > order.size()) throw py::value_error("ends must rise, up to the length of order");
        before = end;
    }
    if (!is_ready<double>(losses, 1) || losses.size() < ends.size() || !losses.writeable()) {
        throw py::value_error("losses must have a place for every batch, in float64");
    }
}

// A place for the rows of a batch; null for what they have not.
template <class T>
struct Gathered {
    T* x;
    std::int64_t* labels;
    T *values, *weights;
};

// Copies some rows of all to where they lie one after another.
template <class T>
void gather(const Rows<T>& all, const T* weights, const std::int64_t* order, Index count, Index in, Index width,
            const Gathered<T>& to) {
    for (Index i = 0; i < count; ++i) {
        const Index from = order[i];
        if (from < 0 || from >= all.count) throw py::index_error("order names a row that there is not");
        std::memcpy(to.x + i * in, all.x + from * in, std::size_t(in) * sizeof(T));
        if (to.labels) to.labels[i] = all.target.labels[from];
        if (to.weights) to.weights[i] = weights[from];
        if (!to.values) continue;
        std::memcpy(to.values + i * width, all.target.values + from * width, std::size_t(width) * sizeof(T));
    }
}

class Step {
 public:
    explicit Step(std::shared_ptr<Busy> busy) : busy_(std::move(busy)) {}

    static py::object call(py::handle self, py::handle x, py::handle y, bool gradients, py::handle weight) {
        return run_once(self, x, y, weight, {gradients, false});
    }
    // The same, but moves nothing if the loss is not finite.
    static py::object finite_step(py::handle self, py::handle x, py::handle y, bool gradients, py::handle weight) {
        return run_once(self, x, y, weight, {gradients, true});
    }

    // Whether an epoch can take these arrays as they lie. Another thread may be in a step, so nothing is kept of them.
    bool fits(py::handle X, py::handle y) {
        return usable_ && current().with([&](auto& plan) {
            Rows<decltype(type_of(plan))> rows;
            if (!are_rows(plan, current(), X, y, rows)) return false;
            const std::int64_t* labels = rows.target.labels;
            return !labels || are_classes(labels, rows.count, plan.out(), current().target.ignored, nullptr);
        });
    }

    // Batches of rows order[ends[i - 1]:ends[i]], from `start` on. Returns how many are done: all, or as many as there
    // were before poll(done) returned True, something was assigned, or the loss was not finite.
    static Index epoch(py::handle self_, const py::array& X, const py::array& y,
                       const py::array_t<std::int64_t, py::array::c_style>& order,
                       const py::array_t<std::int64_t, py::array::c_style>& ends, Index start, py::array& losses,
                       const py::object& poll, bool must_be_finite, py::handle weight) {
        require_batches(order, ends, start, losses);
        Step& self = self_.cast<Step&>();
        const Entered entered(*self.busy_);
        self.refresh(self_);
        if (!self.usable_) return start;
        const py::object keep = self.plan_;  // while this runs, others may make the step a new plan
        Description& description = self.current();
        return description.with([&](auto& plan) -> Index {
            using T = decltype(type_of(plan));
            Rows<T> all;
            if (!are_rows(plan, description, X, y, all)) throw py::value_error("X and y do not fit the model");
            const std::optional<py::array> weighed = weights_of<T>(weight, all.count);
            T* weights = weighed ? self.gathered<T>(self.weights_, all.count) : nullptr;
            const Index batches = ends.size();
            const std::int64_t* row = order.data();
            // A copy: whoever is polled may write there.
            const std::vector<std::int64_t> end(ends.data(), ends.data() + batches);
            Index longest = 0;
            for (Index b = 0; b < batches; ++b) longest = std::max<Index>(longest, end[b] - (b ? end[b - 1] : 0));
            T* x = self.gathered<T>(self.x_, longest * plan.in());
            const Index width = plan.target_columns();
            T* values = all.target.values ? self.gathered<T>(self.values_, longest * width) : nullptr;
            std::int64_t* labels = all.target.labels ? self.labels_.reserve(longest) : nullptr;
            plan.reserve(longest);
            double* loss = static_cast<double*>(losses.mutable_data());
            const double work = plan.operations(longest, true);
            auto looked = std::chrono::steady_clock::now();
            Index b = start;
            while (b < batches) {
                const Index first = b ? end[b - 1] : 0, count = end[b] - first;
                const Gathered<T> into{x, labels, values, weights};
                gather(all, in<T>(weighed), row + first, count, plan.in(), width, into);
                // Looked at again: whoever was polled might have written into them.
                if (labels && !are_classes(labels, count, plan.out(), description.target.ignored, nullptr)) {
                    throw py::value_error("target has a label that is no class any more");
                }
                const Rows<T> rows{x, {values, labels, weights}, count};
                plan.reserve(count);
                if (plan.divisor(rows.target, count) == 0) throw py::value_error("a batch has no row that counts");
                loss[b] = self.run(keep, plan, rows, {false, must_be_finite});
                if ((must_be_finite || plan.refuses()) && !std::isfinite(loss[b])) return b;
                ++b;
                const auto now = std::chrono::steady_clock::now();
                if (now - looked < std::chrono::milliseconds(20) && b < batches && work < 1e10) continue;
                looked = now;
                if (PyErr_CheckSignals() != 0) throw py::error_already_set();
                if (!poll.is_none() && poll(b).cast<bool>()) return b;
                if (self.plan_.ptr() != keep.ptr() || !description.watched.is_as_it_was() ||
                    description.options != option_changes) {
                    return b;
                }
            }
            return b;
        });
    }

    // Of the last step that a plan has run.
    py::object output() {
        if (!last_ || rows_ == 0) return py::none();
        return last_.cast<Description&>().with([&](auto& plan) -> py::object {
            using T = decltype(type_of(plan));
            py::array_t<T> copy({rows_, plan.out()});
            std::memcpy(copy.mutable_data(), plan.output(), std::size_t(copy.nbytes()));
            return std::move(copy);
        });
    }

    void set_plan(const py::object& plan, bool usable) {
        plan_ = plan;
        usable_ = usable;
    }

    template <class F>
    void for_objects(const F& f) const {
        f(plan_);
        f(last_);
    }
    void forget() {
        usable_ = false;
        rows_ = 0;
        const py::object plan = std::move(plan_), last = std::move(last_);
    }

 private:
    // The object that Python sees is asked for what it alone can do.
    static py::object run_once(py::handle self_, py::handle x, py::handle y, py::handle weight, StepOptions options) {
        Step& self = self_.cast<Step&>();
        const Entered entered(*self.busy_);
        self.refresh(self_);
        if (!self.usable_) return self.by_modules(self_, x, y, weight, options);
        const py::object keep = self.plan_;
        Description& description = self.current();
        return description.with([&](auto& plan) -> py::object {
            using T = decltype(type_of(plan));
            Rows<T> rows;
            py::object converted;  // lives as long as its data are used
            if (!self.is_usable(description, plan, x, y, rows)) {
                converted = self_.attr("_converted")(x, y);
                if (converted.is_none()) return self.by_modules(self_, x, y, weight, options);
                if (!self.is_usable(description, plan, converted[py::int_(0)], converted[py::int_(1)], rows)) {
                    throw py::value_error("input and target do not fit the model");
                }
            }
            const std::optional<py::array> weights = weights_of<T>(weight, rows.count);
            rows.target.weights = in<T>(weights);
            plan.reserve(rows.count);
            const double loss = self.run(keep, plan, rows, options);
            // Modules say what is wrong, if anything is.
            if (plan.refuses() && !std::isfinite(loss)) return self.by_modules(self_, x, y, weight, options);
            return py::float_(loss);
        });
    }
    py::object by_modules(py::handle self, py::handle x, py::handle y, py::handle weight, StepOptions options) {
        rows_ = 0;
        return self.attr("_step_by_modules")(x, y, options.must_be_finite, weight);
    }
    template <class T>
    static std::optional<py::array> weights_of(py::handle weight, Index rows) {
        return weight.is_none() ? std::nullopt : as_row_weights(weight, py::array(py::dtype::of<T>(), 0), rows);
    }

    Description& current() { return plan_.cast<Description&>(); }

    // Makes a new plan, or reads new options, if anything has been assigned since.
    void refresh(py::handle self) {
        if (plan_ && current().watched.is_as_it_was()) {
            if (current().options != option_changes.load(std::memory_order_relaxed)) self.attr("_read_options")();
            return;
        }
        self.attr("_compile")();
    }

    template <class T>
    bool is_usable(const Description& description, const Plan<T>& plan, py::handle x, py::handle y, Rows<T>& rows) {
        if (!are_rows(plan, description, x, y, rows) || rows.count <= (plan.needs_two_rows() ? 1 : 0)) return false;
        if (rows.target.labels) {
            std::int64_t* copy = labels_.reserve(rows.count);
            if (!are_classes(rows.target.labels, rows.count, plan.out(), description.target.ignored, copy))
                return false;
            rows.target.labels = copy;
        }
        return plan.divisor(rows.target, rows.count) != 0;
    }
    // Drawing runs Python, which may make the step a new plan: `described` is the one that runs.
    template <class T>
    double run(const py::object& described, Plan<T>& plan, const Rows<T>& rows, StepOptions options) {
        const std::vector<py::object>& draws = described.cast<Description&>().draws;
        for (std::size_t i = 0; i < draws.size(); ++i) {
            plan.dropouts()[i]->seed = draws[i]().template cast<std::uint64_t>();
        }
        last_ = described;
        rows_ = rows.count;
        const double loss = computed(plan, rows, options);
        if (plan.refuses() && !std::isfinite(loss)) {  // modules are to draw these words again
            for (std::size_t i = 0; i < draws.size(); ++i) {
                draws[i].attr("__self__").attr("_draw_again")(plan.dropouts()[i]->seed);
            }
        }
        return loss;
    }
    template <class T>
    static double computed(Plan<T>& plan, const Rows<T>& rows, StepOptions options) {
        if (plan.operations(rows.count, true) < long_work) {
            return plan.step(rows.x, rows.target, rows.count, options);
        }
        const ReleasedGil nogil;
        return plan.step(rows.x, rows.target, rows.count, options);
    }
    template <class T>
    T* gathered(Buffer<char>& buffer, Index count) {
        return reinterpret_cast<T*>(buffer.reserve(count * Index(sizeof(T))));
    }

    std::shared_ptr<Busy> busy_;
    py::object plan_, last_;
    bool usable_ = false;  // else its description says what to look at before a new attempt
    Index rows_ = 0;
    Buffer<char> x_, values_, weights_;
    Buffer<std::int64_t> labels_;
};

// Predictions may be asked for by several threads at once: each gets a plan of its own.
class Predict {
 public:
    static py::object call(py::handle self_, py::handle x) {
        Predict& self = self_.cast<Predict&>();
        py::object taken = self.take(self_);
        if (taken.is_none()) return self_.attr("_predict_by_modules")(x);
        Description& description = taken.cast<Description&>();
        return description.with([&](auto& plan) -> py::object {
            using T = decltype(type_of(plan));
            py::object converted;
            if (!fits(plan, x)) {
                converted = self_.attr("_converted")(x);
                if (converted.is_none()) return self_.attr("_predict_by_modules")(x);
                if (!fits(plan, converted)) throw py::value_error("input does not fit the model");
                x = converted;
            }
            const Index rows = shape_of(x)[0];
            py::array output(py::dtype::of<T>(), std::vector<py::ssize_t>{rows, plan.out()});
            plan.reserve(rows);
            const T* from = static_cast<const T*>(data_of(x));
            T* to = static_cast<T*>(data_of(output));
            if (plan.operations(rows, false) < long_work) {
                plan.predict(from, rows, to);
            } else {
                const ReleasedGil nogil;
                plan.predict(from, rows, to);
            }
            const bool refused = plan.has_refused();
            self.free_.push_back(std::move(taken));
            if (refused) return self_.attr("_predict_by_modules")(x);  // modules say what is wrong
            return std::move(output);
        });
    }

    bool frozen = false;

    template <class F>
    void for_objects(const F& f) const {
        for (const py::object& plan : free_) f(plan);
    }
    void forget() { let_go(free_); }

 private:
    // Whether a plan can take an input as it lies.
    template <class T>
    static bool fits(const Plan<T>& plan, py::handle x) {
        return is_ready<T>(x, 2) && shape_of(x)[1] == plan.in() && shape_of(x)[0] > 0;
    }
    // A plan that no other thread uses; None if the model cannot be compiled.
    py::object take(py::handle self) {
        while (!free_.empty()) {
            py::object plan = std::move(free_.back());
            free_.pop_back();
            if (frozen || plan.cast<Description&>().watched.is_as_it_was()) return plan;
        }
        return self.attr("_new_plan")();
    }

    std::vector<py::object> free_;
};

}  // namespace

void bind_compiled(py::module_& module) {
    py::class_<Busy, std::shared_ptr<Busy>> busy(module, "Busy");
    refuse_pickles(busy);
    busy.def(py::init<>());
    py::class_<Step> step(module, "Step", collected<Step>());
    refuse_pickles(step);
    step.def(py::init<std::shared_ptr<Busy>>())
        .def("__call__", &Step::call, "x"_a, "y"_a, "gradients"_a = false, "weight"_a = py::none())
        .def("finite_step", &Step::finite_step, "x"_a, "y"_a, "gradients"_a = false, "weight"_a = py::none())
        .def("_fits", &Step::fits)
        .def("_epoch", &Step::epoch)
        .def("_set_plan", &Step::set_plan)
        .def("_output", &Step::output);
    py::class_<Predict> predict(module, "Predict", collected<Predict>());
    refuse_pickles(predict);
    predict.def(py::init<>()).def("__call__", &Predict::call, "x"_a).def_readwrite("_frozen", &Predict::frozen);
}

}  // namespace pynet
