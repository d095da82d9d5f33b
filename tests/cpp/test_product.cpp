// Product: all small shapes against sums one by one, exact on small multiples of 1/32; nothing beyond is touched.
#include <algorithm>

#include "kernels_to_test.hpp"

namespace {

// A matrix that ends where its memory does, so that a read or write beyond is one the sanitizers see.
template <class T>
struct Matrix {
    Index rows, columns;
    std::vector<T> data;
    Matrix(Index r, Index c, unsigned seed) : rows(r), columns(c), data(numbers<T>(r * c, seed)) {}
    T operator()(Index i, Index j) const { return data[i * columns + j]; }
};

template <class T>
std::vector<T> multiplied(const Matrix<T>& a, const Matrix<T>& b) {
    std::vector<T> c(a.rows * b.columns);
    for (Index i = 0; i < a.rows; ++i) {
        for (Index j = 0; j < b.columns; ++j) {
            for (Index k = 0; k < a.columns; ++k) c[i * b.columns + j] += a(i, k) * b(k, j);
        }
    }
    return c;
}

const Index sizes[] = {1, 2, 3, 5, 7, 8, 9, 13, 14, 15, 16, 17, 29, 31, 32, 33, 40, 65};

}  // namespace

TEST_CASE("product of packed panels, both ways round") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).product;
        for (const Index rows : sizes) {
            for (const Index depth : {0, 1, 3, 16, 17, 33}) {
                for (const Index columns : sizes) {
                    const Matrix<T> a(rows, depth, 1), b(depth, columns, 2);
                    const auto expected = multiplied(a, b);
                    std::vector<T> panels = unset<T>(packed_size(k, depth, columns));
                    k.pack(b.data.data(), columns, depth, columns, panels.data());
                    auto c = unset<T>(rows * columns), t = unset<T>(rows * columns);
                    const pynet::Panels<T> packed{panels.data(), columns, 0, depth * k.panel};
                    k.multiply({a.data.data(), depth, 1}, rows, depth, packed, {c.data(), columns});
                    CHECK_EQUAL(c, expected);
                    k.multiply_transposed({a.data.data(), depth, 1}, rows, depth, packed, {t.data(), rows});
                    CHECK_EQUAL(t, transposed(expected, rows, columns));
                    if (check::failures) return;
                }
            }
        }
    });
}

TEST_CASE("product packs a transposed matrix piece by piece") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).product;
        for (const Index rows : sizes) {
            for (const Index depth : sizes) {
                const Matrix<T> a(rows, depth, 1);
                const auto at = transposed(a.data, rows, depth);
                auto expected = unset<T>(packed_size(k, depth, rows)), panels = expected;
                k.pack(at.data(), rows, depth, rows, expected.data());
                const Index middle = depth / 2 / k.lanes * k.lanes;
                k.pack_transposed(a.data.data(), depth, rows, depth, middle, depth, panels.data());
                k.pack_transposed(a.data.data(), depth, rows, depth, 0, middle, panels.data());
                CHECK_EQUAL(panels, expected);
            }
        }
    });
}

TEST_CASE("product of a transposed operand with a matrix as it lies, bias, floor and sum") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).product;
        for (const Index rows : sizes) {
            for (const Index columns : {1, 16, 31, 40}) {
                const Index depth = 5, wide = up(columns, k.panel);
                const Matrix<T> at(depth, rows, 1), b(depth, wide, 2);
                const auto bias = numbers<T>(wide, 3);
                const Matrix<T> a{rows, depth, 0};
                const_cast<std::vector<T>&>(a.data) = transposed(at.data, depth, rows);
                auto expected = multiplied(a, b);
                auto c = unset<T>(rows * wide);
                const pynet::Operand<T> left{at.data.data(), 1, rows};
                const pynet::Panels<T> right{b.data.data(), columns, wide, k.panel};
                k.multiply(left, rows, depth, right, {c.data(), wide, bias.data(), T(-0.5)});
                for (Index i = 0; i < rows; ++i) {
                    for (Index j = 0; j < wide; ++j) {
                        T& e = expected[i * wide + j];
                        e = std::max(e + bias[j], T(-0.5));
                        if (j >= columns) e = c[i * wide + j];  // checked next
                        CHECK_EQUAL(std::isnan(c[i * wide + j]), j >= columns);
                    }
                }
                for (Index i = 0; i < rows * wide; ++i) {
                    if (!std::isnan(c[i])) CHECK_EQUAL(c[i], expected[i]);
                }
                const auto before = c;
                k.multiply(left, rows, depth, right, {c.data(), wide, nullptr, 0, true});
                const auto plain = multiplied(a, b);
                for (Index i = 0; i < rows * wide; ++i) {
                    if (!std::isnan(c[i])) CHECK_EQUAL(c[i], before[i] + plain[i]);
                }
            }
        }
    });
}

TEST_CASE("product keeps NaN above a floor") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).product;
        const std::vector<T> a{std::numeric_limits<T>::quiet_NaN(), -1}, b(k.panel, T(1));
        auto c = unset<T>(2 * k.panel);
        k.multiply({a.data(), 1, 1}, 2, 1, {b.data(), k.panel, k.panel, k.panel}, {c.data(), k.panel, nullptr, 0});
        CHECK_EQUAL(std::isnan(c[0]), true);
        CHECK_EQUAL(c[k.panel], T(0));
    });
}

TEST_CASE("product stays out where its gate is closed") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).product;
        const Index rows = 17, stride = 2 * k.panel;
        const std::vector<T> a(rows, T(3)), b(2 * k.panel, T(2));
        for (const Index columns : {Index(1), k.lanes, k.panel, k.panel + 3}) {
            auto gate = numbers<T>(rows * stride, 1);
            gate[0] = 0;
            gate[stride] = std::numeric_limits<T>::quiet_NaN();
            auto c = unset<T>(rows * stride);
            k.multiply({a.data(), 1, 1}, rows, 1, {b.data(), columns, k.panel, k.panel},
                       {c.data(), stride, nullptr, -T(INFINITY), false, gate.data()});
            for (Index n = 0; n < rows; ++n) {
                for (Index i = 0; i < columns; ++i) {
                    CHECK_EQUAL(c[n * stride + i], gate[n * stride + i] <= 0 ? T(0) : T(6));
                }
                CHECK_EQUAL(std::isnan(c[n * stride + columns]), true);  // nothing beyond
            }
        }
    });
}

TEST_CASE("product of a matrix and a vector, from both sides") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).product;
        for (Index rows = 1; rows <= 10; ++rows) {
            for (Index depth = 1; depth <= 150; ++depth) {
                const Matrix<T> a(rows, depth, 1), x(depth, 1, 2), f(1, rows, 3);
                const auto bias = numbers<T>(rows, 4);
                auto y = unset<T>(rows), expected = multiplied(a, x);
                for (Index n = 0; n < rows; ++n) expected[n] = std::max(expected[n] + bias[n], T(0));
                k.dot_rows(a.data.data(), x.data.data(), rows, depth, {y.data(), 1, bias.data(), 0});
                CHECK_EQUAL(y, expected);
                auto products = unset<T>(rows * depth);
                k.outer(f.data.data(), x.data.data(), rows, depth, products.data());
                for (Index i = 0; i < rows * depth; ++i) {
                    CHECK_EQUAL(products[i], f.data[i / depth] * x.data[i % depth]);
                }
                auto sum = unset<T>(up(depth, k.lanes));
                k.add_rows(a.data.data(), f.data.data(), rows, depth, sum.data(), false);
                auto twice = sum;
                k.add_rows(a.data.data(), f.data.data(), rows, depth, twice.data(), true);
                sum.resize(depth);
                CHECK_EQUAL(sum, multiplied(f, a));
                for (Index i = 0; i < depth; ++i) CHECK_EQUAL(twice[i], 2 * sum[i]);
            }
        }
    });
}

TEST_CASE("product sums rows") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const Index stride = 40;
        const auto a = numbers<T>(20 * stride, 1);
        for (Index rows = 0; rows <= 20; ++rows) {
            for (const Index columns : {1, 4, 15, 16, 33}) {
                std::vector<T> sum(columns, T(7)), expected(columns);
                for (Index i = 0; i < rows * stride; ++i) {
                    if (i % stride < columns) expected[i % stride] += a[i];
                }
                pynet::kernels<T>(isa).product.sum_rows(a.data(), stride, rows, columns, sum.data(), false);
                CHECK_EQUAL(sum, expected);
                pynet::kernels<T>(isa).product.sum_rows(a.data(), stride, rows, columns, sum.data(), true);
                for (T& e : expected) e *= 2;
                CHECK_EQUAL(sum, expected);
            }
        }
    });
}

TEST_CASE("product adds up matrices, and leaves what lies between their rows") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const Index rows = 3, stride = 40, apart = rows * stride;
        const auto a = numbers<T>(4 * apart, 1);
        for (const Index columns : {1, 4, 15, 16, 33}) {
            for (const Index count : {1, 2, 4}) {
                auto sum = unset<T>(apart);
                pynet::kernels<T>(isa).product.add_up(a.data(), count, apart, stride, rows, columns, sum.data());
                for (Index i = 0; i < apart; ++i) {
                    CHECK_EQUAL(std::isnan(sum[i]), i % stride >= columns);
                    if (i % stride >= columns) continue;
                    T expected = 0;
                    for (Index m = 0; m < count; ++m) expected += a[m * apart + i];
                    CHECK_EQUAL(sum[i], expected);
                }
            }
        }
    });
}

TEST_CASE("product of a great depth is exact, and keeps its digits") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).product;
        const Index columns = k.panel + 3;
        for (const Index depth : {1023, 1024, 1025, 2047, 2048, 2050, 5000}) {
            for (const Index rows : {1, 5, 14, 20}) {
                Matrix<T> a(rows, depth, 1), b(depth, columns, 2);
                for (T& x : b.data) x = T(int(x));  // sums of thousands stay exact in float
                for (T& x : a.data) x = T(int(x));
                const auto expected = multiplied(a, b);
                auto panels = unset<T>(packed_size(k, depth, columns));
                k.pack(b.data.data(), columns, depth, columns, panels.data());
                const pynet::Panels<T> packed{panels.data(), columns, 0, depth * k.panel};
                auto c = unset<T>(rows * columns), t = c;
                k.multiply({a.data.data(), depth, 1}, rows, depth, packed, {c.data(), columns});
                CHECK_EQUAL(c == expected, true);
                k.multiply_transposed({a.data.data(), depth, 1}, rows, depth, packed, {t.data(), rows});
                CHECK_EQUAL(t == transposed(expected, rows, columns), true);
                if (check::failures) return (void)std::printf("  at depth %d, rows %d\n", int(depth), int(rows));
            }
        }
        // Equal numbers, all of which are rounded the same way: in one chain, 65,536 of them lose 10,000 units in
        // float.
        const Index depth = 65536, rows = 3;
        const std::vector<T> a(rows * depth, T(0.1)), b(depth * k.panel, T(1));
        auto c = unset<T>(rows * k.panel);
        k.multiply({a.data(), depth, 1}, rows, depth, {b.data(), k.panel, k.panel, k.panel}, {c.data(), k.panel});
        CHECK_RELATIVE(c, std::vector<Exact>(c.size(), depth * Exact(T(0.1))), 50 * epsilon<T>);
    });
}
