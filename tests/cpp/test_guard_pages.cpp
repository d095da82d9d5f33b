// Every kernel reads and writes nothing outside its arrays: these lie beside pages that nobody may touch, in all sizes
// to 130 and at every place relative to a cache line.
#include <csignal>
#include <cstdio>

#include "activations_to_test.hpp"
#include "child_process.hpp"
#include "guarded_memory.hpp"
#include "kernels_to_test.hpp"
#include "plan/losses.hpp"

namespace {

constexpr Index most = 130;

// What is being called, for the one line that is printed when a guard is touched, unless a sanitizer prints more.
char present_call[200];

[[maybe_unused]] void tell(int) {
    const ssize_t written = write(STDOUT_FILENO, present_call, std::strlen(present_call));
    _exit(written < 0 ? 2 : 1);
}

// The kernels of one instruction set and type, and the memory that they are called with.
template <class T>
class Bounds {
 public:
    Bounds(pynet::Isa isa, const char* type) : kernels(pynet::kernels<T>(isa)), isa_(isa), type_(type) {}

    // call(guard, size) for all sizes and places; it asks the guard for the arrays of one call.
    template <class Call>
    void check(const char* name, const Call& call) {
        for (Index size = 0; size <= most; ++size) check(name, size, call);
    }

    const pynet::Kernels<T>& kernels;

 private:
    template <class Call>
    void check(const char* name, Index size, const Call& call) {
        for (const bool at_end : {false, true}) {
            for (Index shift = 0; shift < 64; shift += sizeof(T)) {
                std::snprintf(present_call, sizeof present_call, "%s of %s on %s, size %d, %d bytes from %s: touched\n",
                              name, type_, pynet::name(isa_), int(size), int(shift), at_end ? "the end" : "the start");
                guard_.begin({at_end, shift});
                call(guard_, size);
                if (!guard_.is_untouched()) CHECK_EQUAL(present_call, std::string("nothing written around arrays"));
            }
        }
    }

    pynet::Isa isa_;
    const char* type_;
    Guard guard_;
};

// test(bounds) for every instruction set and type.
template <class Test>
void each_bounds(const Test& test) {
#ifndef __SANITIZE_ADDRESS__
    std::signal(SIGSEGV, tell);
    std::signal(SIGBUS, tell);
#endif
    const Threads one(1);
    each_isa([&](auto isa, auto zero) {
        using T = decltype(zero);
        Bounds<T> bounds(isa, sizeof(T) == 4 ? "float" : "double");
        test(bounds, zero);
    });
    std::signal(SIGSEGV, SIG_DFL);
    std::signal(SIGBUS, SIG_DFL);
}

template <class T, class Bounds, class... Parameters>
void check_activation(Bounds& bounds, const char* name, const pynet::Activation<T, Parameters...>& kernel,
                      Parameters... parameters) {
    bounds.check(name, [&](Guard& g, Index n) {
        T *x = g.array<T>(n), *dy = g.array<T>(n), *out = g.array<T>(n);
        kernel.forward(x, out, n, parameters...);
        kernel.backward(x, dy, out, n, parameters...);
    });
}

// Rows for a number of columns: one, a few, and more than a vector's lanes.
Index rows_beside(Index columns) { return columns % 3 == 0 ? 1 : columns % 3 == 1 ? 5 : 19; }

}  // namespace

TEST_CASE("a guard page is felt") {
    CHECK(in_child([] {
              Guard guard;
              guard.begin({true, 0});
              const volatile char* array = guard.array<char>(3);
              return array[3] == 0 ? 0 : 0;
          }) != 0);
    CHECK(in_child([] {
              Guard guard;
              guard.begin({false, 0});
              volatile char* array = guard.array<char>(3);
              array[-1] = 1;
              return 0;
          }) != 0);
    Guard guard;
    guard.begin({false, 8});
    char* array = guard.array<char>(3);
    CHECK(guard.is_untouched());
    array[-1] = 1;
    CHECK(!guard.is_untouched());
}

TEST_CASE("activations and functions stay in their arrays") {
    each_bounds([](auto& bounds, auto zero) {
        using T = decltype(zero);
        const auto& k = bounds.kernels;
        check_activation<T>(bounds, "relu", k.relu);
        check_activation<T, decltype(bounds), T>(bounds, "leaky_relu", k.leaky_relu, T(0.1));
        check_activation<T>(bounds, "sigmoid", k.sigmoid);
        check_activation<T>(bounds, "tanh", k.tanh);
        each_activation<T, double>(k, [&](const char* name, const auto& kernel, const auto&, const auto&, auto... p) {
            check_activation<T, decltype(bounds), decltype(p)...>(bounds, name, kernel, p...);
        });
        bounds.check("prelu", [&](Guard& g, Index n) {
            T *x = g.array<T>(3 * n), *dy = g.array<T>(3 * n), *w = g.array<T>(n), *dw = g.array<T>(n);
            T* out = g.array<T>(3 * n);
            k.prelu.forward(x, w, out, {3, n, 1, n});
            k.prelu.backward(x, dy, w, out, dw, {3, n, 1, n}, 0);
            k.prelu.sum(x, dy, 3 * n);
        });
        const auto& m = k.math;
        for (const auto function :
             {m.exp, m.log, m.log1p, m.tanh, m.sigmoid, m.tanh_derivative, m.sigmoid_derivative}) {
            bounds.check("math", [&](Guard& g, Index n) { function(g.array<T>(n), g.array<T>(n), n); });
        }
        bounds.check("exp_minus", [&](Guard& g, Index n) { m.exp_minus(g.array<T>(n), T(1), g.array<T>(n), n); });
    });
}

TEST_CASE("dropout, clipping and losses stay in their arrays") {
    each_bounds([](auto& bounds, auto zero) {
        using T = decltype(zero);
        const auto& k = bounds.kernels;
        bounds.check("dropout", [&](Guard& g, Index n) {
            T *x = g.array<T>(n), *y = g.array<T>(n);
            auto* mask = g.array<std::uint8_t>(n, 1);
            k.dropout.forward(x, y, mask, n, 7, 0.5);
            k.dropout.draw(mask, n / 3, n, 8, 0.5);
            k.dropout.backward(y, mask, x, n, 0.5);
        });
        bounds.check("clipping", [&](Guard& g, Index n) {
            T* x = g.array<T>(n);
            k.clipping.largest(x, n);
            k.clipping.sum_of_squares(x, n, 2);
            k.clipping.scale(x, n, 0.5);
            k.clipping.limit(x, n, 0.1);
        });
        for (const pynet::NamedLoss<T>& loss : pynet::all_losses<T>) {
            bounds.check(std::string(loss.name).c_str(), [&](Guard& g, Index n) {
                const Index rows = rows_beside(n), columns = n - n % 2;
                const Index targets = loss.target_columns(columns), losses = loss.loss_columns(columns);
                T *x = g.array<T>(rows * columns, 2), *t = g.array<T>(rows * targets, 2);
                const double* each = g.array<double>(columns);
                T *of_each = g.array<T>(rows * losses), *out = g.array<T>(rows * columns);
                for (const bool flag : {false, true}) {
                    const pynet::LossOptions options{0.5, each, columns, flag, flag};
                    (k.*loss.kernel).forward(x, t, of_each, rows, columns, options);
                    (k.*loss.kernel).forward(x, t, nullptr, rows, columns, options);
                    (k.*loss.kernel).backward(x, t, out, rows, columns, options, 0.5);
                }
            });
        }
    });
}

TEST_CASE("rows of scores stay in their arrays") {
    each_bounds([](auto& bounds, auto zero) {
        using T = decltype(zero);
        const auto& k = bounds.kernels;
        bounds.check("softmax and log_softmax", [&](Guard& g, Index n) {
            const Index rows = rows_beside(n);
            T *x = g.array<T>(rows * n), *dy = g.array<T>(rows * n), *out = g.array<T>(rows * n);
            k.softmax.forward(x, out, rows, n);
            k.softmax.backward(x, dy, out, rows, n);
            k.log_softmax.forward(x, out, rows, n);
            k.log_softmax.backward(x, dy, out, rows, n);
        });
        bounds.check("cross_entropy", [&](Guard& g, Index n) {
            const Index rows = n ? rows_beside(n) : 0;
            T *x = g.array<T>(rows * n), *t = g.array<T>(rows * n), *out = g.array<T>(rows * n);
            auto* labels = g.array<std::int64_t>(rows, n - 1);
            k.cross_entropy.forward(x, t, nullptr, rows, n);
            k.cross_entropy.backward(x, t, nullptr, out, rows, n, 1);
            k.cross_entropy.forward(x, nullptr, labels, rows, n);
            k.cross_entropy.backward(x, nullptr, labels, out, rows, n, 1);
        });
        bounds.check("cross_entropy_loss and nll_loss", [&](Guard& g, Index n) {
            const Index rows = n ? rows_beside(n) : 0;
            T *x = g.array<T>(rows * n), *t = g.array<T>(rows * n), *out = g.array<T>(rows * n);
            T *losses = g.array<T>(rows), *weight = g.array<T>(n);
            auto* labels = g.array<std::int64_t>(rows, n - 1);
            for (const auto& loss : {k.cross_entropy_loss, k.nll_loss}) {
                for (const double smoothing : {0.0, 0.1}) {
                    const pynet::CrossEntropyLossOptions<T> options{weight, -100, smoothing};
                    loss.forward(x, t, nullptr, losses, rows, n, options);
                    loss.backward(x, t, nullptr, out, rows, n, options, 1);
                    loss.forward_backward(x, t, nullptr, out, rows, n, options, 1);
                    loss.forward(x, nullptr, labels, losses, rows, n, options);
                    loss.backward(x, nullptr, labels, out, rows, n, options, 1);
                    loss.forward_backward(x, nullptr, labels, out, rows, n, options, 1);
                    loss.total_weight(labels, rows, options);
                }
            }
        });
    });
}

TEST_CASE("batch_norm stays in its arrays") {
    each_bounds([](auto& bounds, auto zero) {
        using T = decltype(zero);
        const auto& k = bounds.kernels.batch_norm;
        for (const bool by_position : {false, true}) {
            bounds.check("batch_norm", [&](Guard& g, Index n) {
                const Index channels = by_position ? 3 : n, positions = by_position ? n : 1, batch = 3;
                const Index size = batch * channels * positions;
                const pynet::BatchNormSizes sizes{batch, channels, positions, channels * positions};
                T *x = g.array<T>(size), *dy = g.array<T>(size), *out = g.array<T>(size);
                auto *mean = g.array<double>(channels), *variance = g.array<double>(channels);
                T *weight = g.array<T>(channels), *bias = g.array<T>(channels), *dw = g.array<T>(channels),
                  *db = g.array<T>(channels);
                k.statistics(x, mean, variance, sizes);
                k.forward(x, mean, variance, weight, bias, out, sizes, 1e-5);
                k.backward(x, dy, mean, variance, weight, out, dw, db, sizes, 1e-5, true, T(1));
                k.backward(x, dy, mean, variance, nullptr, out, nullptr, nullptr, sizes, 1e-5, false, T(0));
            });
        }
    });
}

TEST_CASE("norm stays in its arrays") {
    each_bounds([](auto& bounds, auto zero) {
        using T = decltype(zero);
        const auto& k = bounds.kernels.norm;
        for (const bool by_position : {false, true}) {
            bounds.check("norm", [&](Guard& g, Index n) {
                // Groups of one channel with n positions, or of n channels.
                const Index groups = 2, positions = by_position ? n : 1, weights = by_position ? groups : groups * n;
                const pynet::NormSizes sizes{3, groups, n, positions};
                const Index size = 3 * groups * n;
                T *x = g.array<T>(size), *dy = g.array<T>(size), *out = g.array<T>(size);
                T *w = g.array<T>(weights), *b = g.array<T>(weights), *dw = g.array<T>(weights),
                  *db = g.array<T>(weights);
                auto* statistics = g.array<double>(2 * 3 * groups);
                k.forward(x, w, b, out, sizes, {1e-5, true});
                k.backward(x, dy, w, out, statistics, sizes, {1e-5, true});
                k.backward_parameters(x, dy, statistics, dw, db, 0, weights, sizes, T(1));
            });
        }
    });
}

TEST_CASE("embedding stays in its arrays") {
    each_bounds([](auto& bounds, auto zero) {
        using T = decltype(zero);
        const auto& k = bounds.kernels.embedding;
        bounds.check("embedding", [&](Guard& g, Index n) {
            constexpr Index count = 5, embeddings = 4;
            auto *indices = g.array<Index>(count, Index(2)), *starts = g.array<Index>(embeddings + 1),
                 *order = g.array<Index>(count);
            T *w = g.array<T>(embeddings * n), *y = g.array<T>(count * n), *dy = g.array<T>(count * n);
            k.forward(indices, w, y, count, n);
            k.sort(indices, starts, order, count, embeddings);
            k.backward({starts, order}, dy, w, embeddings, n, -1, T(0));
        });
    });
}

TEST_CASE("optimizers stay in their arrays") {
    each_bounds([](auto& bounds, auto zero) {
        using T = decltype(zero);
        const auto& k = bounds.kernels;
        bounds.check("sgd", [&](Guard& g, Index n) {
            T *p = g.array<T>(3 * n), *grad = g.array<T>(3 * n), *v = g.array<T>(3 * n), *f = g.array<T>(3);
            const pynet::SgdOptions plain{0.1, 0.9, 0, 0, false}, rich{0.1, 0.9, 0.1, 0.1, true};
            k.sgd.step(p, grad, {nullptr}, 3 * n, plain, {true});
            k.sgd.step(p, grad, {v}, 3 * n, plain, {false});
            k.sgd.step(p, grad, {v}, 3 * n, rich, {false});
            k.sgd.step_outer(p, f, grad, {v}, 3, n, plain, {false});
            k.sgd.step_outer(p, f, grad, {v}, 3, n, rich, {true});
            k.sgd.step_outer(p, f, grad, {nullptr}, 3, n, plain, {true});
        });
        const auto check = [&](const char* name, const auto& update, auto options, auto moment, int states) {
            bounds.check(name, [&](Guard& g, Index n) {
                T *p = g.array<T>(3 * n), *grad = g.array<T>(3 * n), *f = g.array<T>(3), *row = g.array<T>(n);
                pynet::States<T> all;
                for (int i = 0; i < states; ++i) all.of[i] = g.array<T>(3 * n);
                update.step(p, grad, all, 3 * n, options, moment);
                update.step_outer(p, f, row, all, 3, n, options, moment);
            });
        };
        using pynet::AdamOptions, pynet::NadamOptions, pynet::RmspropOptions, pynet::AdagradOptions,
            pynet::AdadeltaOptions;
        check("adam", k.adam, AdamOptions{0.1, 0.9, 0.999, 1e-8, 0.1, false}, AdamOptions::Moment{0.5, 0.5}, 2);
        check("adamw", k.adam, AdamOptions{0.1, 0.9, 0.999, 1e-8, 0.1, true}, AdamOptions::Moment{0.5, 0.5}, 2);
        check("nadam", k.nadam, NadamOptions{0.1, 0.9, 0.999, 1e-8, 0.1, 4e-3},
              NadamOptions::Moment{0.5, 0.5, 0.5, 0.5}, 2);
        for (const double momentum : {0.0, 0.9}) {
            for (const bool centered : {false, true}) {
                check("rmsprop", k.rmsprop, RmspropOptions{0.1, 0.9, 1e-8, 0.1, momentum, centered},
                      RmspropOptions::Moment{}, 1 + (momentum > 0) + centered);
            }
        }
        check("adagrad", k.adagrad, AdagradOptions{0.1, 0.1, 0.1, 1e-10}, AdagradOptions::Moment{0.5}, 1);
        check("adadelta", k.adadelta, AdadeltaOptions{1, 0.9, 1e-6, 0.1}, AdadeltaOptions::Moment{}, 2);
    });
}

TEST_CASE("linear stays in its arrays") {
    each_bounds([](auto& bounds, auto zero) {
        using T = decltype(zero);
        const auto& k = bounds.kernels.linear;
        for (const int axis : {0, 1, 2}) {
            bounds.check("linear", [&](Guard& g, Index n) {
                const Index batch = axis == 0 ? n : 5, in = axis == 1 ? n : 7, out = axis == 2 ? n : 3;
                T *x = g.array<T>(batch * in), *w = g.array<T>(out * in), *b = g.array<T>(out),
                  *y = g.array<T>(batch * out), *dx = g.array<T>(batch * in), *dw = g.array<T>(out * in),
                  *db = g.array<T>(out);
                k.forward(x, w, b, y, batch, in, out);
                k.backward_input(y, w, dx, batch, in, out);
                k.backward_parameters(x, y, dw, db, batch, in, out, T(axis == 0));
            });
        }
        bounds.check("column_sums", [&](Guard& g, Index n) {
            k.column_sums(g.array<T>(4 * (n + 3) + n), n + 3, g.array<T>(n), 5, n, T(1));
        });
    });
}

TEST_CASE("products stay in their arrays") {
    each_bounds([](auto& bounds, auto zero) {
        using T = decltype(zero);
        const auto& k = bounds.kernels.product;
        for (const int axis : {0, 1, 2}) {
            bounds.check("product", [&](Guard& g, Index n) {
                const Index rows = axis == 0 ? n : 5, depth = axis == 1 ? n : 3, columns = axis == 2 ? n : 7;
                const Index wide = up(columns, k.lanes);
                T *a = g.array<T>(rows * depth), *b = g.array<T>(depth * columns),
                  *panels = g.array<T>(packed_size(k, depth, columns)), *c = g.array<T>(rows * columns),
                  *bias = g.array<T>(wide), *row_bias = g.array<T>(rows), *gate = g.array<T>(rows * columns),
                  *rough = g.array<T>(depth * wide);
                k.pack(b, columns, depth, columns, panels);
                const pynet::Panels<T> packed{panels, columns, 0, depth * k.panel};
                k.multiply({a, depth, 1}, rows, depth, packed, {c, columns, bias, T(0)});
                k.multiply({a, 1, rows}, rows, depth, packed, {c, columns, nullptr, T(0), true});
                k.multiply({a, depth, 1}, rows, depth, packed, {c, columns, nullptr, T(0), false, gate});
                k.multiply({a, depth, 1}, rows, depth, {rough, columns, wide, k.panel}, {c, columns});
                k.multiply_transposed({a, depth, 1}, rows, depth, packed, {c, rows, row_bias});
                k.pack_transposed(b, depth, columns, depth, 0, depth, panels);
            });
        }
        bounds.check("one row", [&](Guard& g, Index n) {
            const Index rows = rows_beside(n);
            T *a = g.array<T>(rows * n), *x = g.array<T>(n), *f = g.array<T>(rows), *y = g.array<T>(rows),
              *whole = g.array<T>(up(n, k.lanes)), *sums = g.array<T>(n), *b = g.array<T>(rows);
            k.dot_rows(a, x, rows, n, {y, 1, b, T(0)});
            k.outer(f, x, rows, n, a);
            k.add_rows(a, f, rows, n, whole, false);
            k.add_rows(a, f, rows, n, whole, true);
            k.sum_rows(a, n, rows, n, sums, false);
            k.sum_rows(a, n, rows, n, sums, true);
            k.add_up(a, rows, n, n, 1, n, sums);
        });
    });
}
