// The matrix kernels on every shape from 0 to 40 in each dimension, to the last bit: all sums are exact.
#include <algorithm>

#include "kernels_to_test.hpp"

namespace {

constexpr Index most = 40;

// sums[i, j] = sum over k < depth of a[i, k] b[k, j], for growing depths; rows and columns lie `most` apart.
template <class T>
struct Growing {
    std::vector<T> a = numbers<T>(most * most, 1), b = numbers<T>(most * most, 2);
    std::vector<T> sums = std::vector<T>(most * most);

    void add(Index k) {
        for (Index i = 0; i < most; ++i) {
            for (Index j = 0; j < most; ++j) sums[i * most + j] += a[i * most + k] * b[k * most + j];
        }
    }
};

// The first rows and columns of a matrix, without gaps.
template <class T>
std::vector<T> corner(const std::vector<T>& matrix, Index rows, Index columns) {
    std::vector<T> part(rows * columns);
    for (Index i = 0; i < rows; ++i) std::copy_n(&matrix[i * most], columns, part.begin() + i * columns);
    return part;
}

// test(rows, depth, columns, a, b, their product), until a check fails.
template <class T, class Test>
void each_shape(const Test& test) {
    Growing<T> growing;
    for (Index depth = 0; depth <= most; ++depth) {
        for (Index rows = 0; rows <= most; ++rows) {
            const auto a = corner(growing.a, rows, depth);
            for (Index columns = 0; columns <= most; ++columns) {
                test(rows, depth, columns, a, corner(growing.b, depth, columns), corner(growing.sums, rows, columns));
                if (check::failures) {
                    return (void)std::printf("  at rows %d, depth %d, columns %d\n", int(rows), int(depth),
                                             int(columns));
                }
            }
        }
        if (depth < most) growing.add(depth);
    }
}

}  // namespace

TEST_CASE("products of all shapes to 40 are exact") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).product;
        std::vector<T> panels((most + 2) * (most + k.panel)), packed(panels.size());
        each_shape<T>([&](Index rows, Index depth, Index columns, const auto& a, const auto& b, const auto& product) {
            auto c = unset<T>(rows * columns), t = c, d = c;
            k.pack(b.data(), columns, depth, columns, panels.data());
            const pynet::Panels<T> right{panels.data(), columns, 0, depth * k.panel};
            k.multiply({a.data(), depth, 1}, rows, depth, right, {c.data(), columns});
            CHECK_EQUAL(c, product);
            k.multiply_transposed({a.data(), depth, 1}, rows, depth, right, {t.data(), rows});
            CHECK_EQUAL(t, transposed(product, rows, columns));
            // The same from b^T, packed the other way.
            const auto bt = transposed(b, depth, columns);
            k.pack_transposed(bt.data(), depth, columns, depth, 0, depth, packed.data());
            k.multiply({a.data(), depth, 1}, rows, depth, {packed.data(), columns, 0, depth * k.panel},
                       {d.data(), columns});
            CHECK_EQUAL(d, product);
        });
    });
}

TEST_CASE("products with one row of all shapes to 40 are exact") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).product;
        Growing<T> growing;
        for (Index rows = 0; rows <= most; ++rows) {
            for (Index columns = 0; columns <= most; ++columns) {
                const auto a = corner(growing.a, rows, columns);
                std::vector<T> dots(rows), outer, sums(columns + k.lanes, T(0)), by_factor = sums,
                                                                                 added(rows * columns);
                for (Index i = 0; i < rows; ++i) {
                    for (Index j = 0; j < columns; ++j) {
                        const T x = a[i * columns + j];
                        dots[i] += x * growing.b[j];
                        outer.push_back(growing.b[most + i] * growing.b[j]);
                        sums[j] += x;
                        by_factor[j] += growing.b[most + i] * x;
                        added[i * columns + j] = x + x;
                    }
                }
                const T *x = growing.b.data(), *factors = x + most;
                auto out = unset<T>(rows);
                k.dot_rows(a.data(), x, rows, columns, {out.data(), 1});
                CHECK_EQUAL(out, dots);
                auto product = unset<T>(rows * columns);
                k.outer(factors, x, rows, columns, product.data());
                CHECK_EQUAL(product, outer);
                auto sum = unset<T>(columns);
                k.sum_rows(a.data(), columns, rows, columns, sum.data(), false);
                CHECK_EQUAL(sum, std::vector<T>(sums.begin(), sums.begin() + columns));
                // Read and written in whole vectors: the matrix has room behind it.
                auto wide = a;
                wide.resize(a.size() + 16 * k.lanes);
                std::vector<T> total(columns + 16 * k.lanes);
                k.add_rows(wide.data(), factors, rows, columns, total.data(), false);
                CHECK_EQUAL(std::vector<T>(total.begin(), total.begin() + columns),
                            std::vector<T>(by_factor.begin(), by_factor.begin() + columns));
                auto twice = a;
                twice.insert(twice.end(), a.begin(), a.end());
                auto both = unset<T>(rows * columns);
                k.add_up(twice.data(), 2, rows * columns, columns, rows, columns, both.data());
                CHECK_EQUAL(both, added);
                if (check::failures) return;
            }
        }
    });
}

TEST_CASE("linear of all shapes to 40 is exact") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        if (isa != pynet::Isa::baseline) return;  // BLAS chooses its instruction set by itself
        const auto& k = pynet::kernels<T>(isa).linear;
        each_shape<T>([&](Index rows, Index depth, Index columns, const auto& a, const auto& b, const auto& product) {
            auto c = unset<T>(rows * columns), d = c, e = c;
            const auto bt = transposed(b, depth, columns), at = transposed(a, rows, depth);
            k.forward(a.data(), bt.data(), nullptr, c.data(), rows, depth, columns);
            CHECK_EQUAL(c, product);
            k.backward_input(a.data(), b.data(), d.data(), rows, columns, depth);
            CHECK_EQUAL(d, product);
            k.backward_parameters(b.data(), at.data(), e.data(), nullptr, depth, columns, rows, T(0));
            CHECK_EQUAL(e, product);
        });
    });
}
