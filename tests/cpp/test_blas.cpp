// Matrix products: all four transposes by hand, as parts of larger arrays, with beta.
#include "kernels_to_test.hpp"
#include "runtime/blas.hpp"

namespace {

// (rows, columns) and one more column of 99, as if it were part of a larger array.
template <class T>
std::vector<T> wider(const std::vector<T>& values, Index columns) {
    std::vector<T> all;
    for (std::size_t i = 0; i < values.size(); ++i) {
        all.push_back(values[i]);
        if (Index(i) % columns == columns - 1) all.push_back(99);
    }
    return all;
}

template <class T>
void check_products() {
    const std::vector<T> a{1, 2, 3, 4, 5, 6}, a_transposed{1, 4, 2, 5, 3, 6};  // (2, 3), (3, 2)
    const std::vector<T> b{1, 2, 0, -1, 0, 1, 3, 1, -1, 0, 1, 2};              // (3, 4)
    const std::vector<T> b_transposed{1, 0, -1, 2, 1, 0, 0, 3, 1, -1, 1, 2};   // (4, 3)
    // 1-3, 2+2, 6+3, -1+2+6;  4-6, 8+5, 15+6, -4+5+12
    const std::vector<T> c{-2, 4, 9, 7, -2, 13, 21, 13};  // (2, 4)
    const std::vector<T> added{8, 14, 19, 17, 8, 23, 31, 23}, halved{3, 9, 14, 12, 3, 18, 26, 18};
    for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
            const auto left = ta ? wider(a_transposed, 2) : wider(a, 3);
            const auto right = tb ? wider(b_transposed, 3) : wider(b, 4);
            const auto product = [&](std::vector<T> out, T beta) {
                pynet::gemm(ta, tb, 2, 4, 3, left.data(), ta ? 3 : 4, right.data(), tb ? 4 : 5, beta, out.data(), 5);
                return out;
            };
            const std::vector<T> tens(8, 10);
            CHECK_CLOSE(product(wider(unset<T>(8), 4), 0), wider(c, 4), 0);
            CHECK_CLOSE(product(wider(tens, 4), 1), wider(added, 4), 0);
            CHECK_CLOSE(product(wider(tens, 4), T(0.5)), wider(halved, 4), 0);
        }
    }
}

}  // namespace

TEST_CASE("gemm of all four transposes in float") { check_products<float>(); }

TEST_CASE("gemm of all four transposes in double") { check_products<double>(); }

TEST_CASE("gemm keeps the digits of its type") {
    // 2^24 + 1, and 2^53 + 1 - 1
    const float a[] = {16777216, 1}, ones[] = {1, 1};
    float c = NAN;
    pynet::gemm(false, false, 1, 1, 2, a, 2, ones, 1, 0, &c, 1);
    CHECK_EQUAL(c, 16777216.0F);
    const double a2[] = {16777216, 1}, ones2[] = {1, 1};
    double c2 = NAN;
    pynet::gemm(false, false, 1, 1, 2, a2, 2, ones2, 1, 0, &c2, 1);
    CHECK_EQUAL(c2, 16777217.0);
}

TEST_CASE("blas tells its name") { CHECK(std::strlen(pynet::blas_description()) > 0); }
