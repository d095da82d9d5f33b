// Checks an activation on sizes of less than a vector and of more than a block, one element at a time.
#pragma once

#include "kernels_to_test.hpp"

// value(x) and derivative(x) in double are what to expect.
template <class T, class Value, class Derivative, class... Parameters>
void check_many_elements(const pynet::Activation<T, Parameters...>& kernel, double tolerance, const Value& value,
                         const Derivative& derivative, Parameters... parameters) {
    for (const Index size : {0, 1, 3, 17, 100003}) {
        const auto x = numbers<T>(size, 1), dy = numbers<T>(size, 2);
        std::vector<double> y_expected, dx_expected;
        for (Index i = 0; i < size; ++i) {
            y_expected.push_back(value(double(x[i])));
            dx_expected.push_back(derivative(double(x[i])) * double(dy[i]));
        }
        const auto y = on_any_threads([&] {
            auto output = unset<T>(size);
            kernel.forward(x.data(), output.data(), size, parameters...);
            return output;
        });
        CHECK_RELATIVE(y, y_expected, tolerance);
        const auto dx = on_any_threads([&] {
            auto grad_input = unset<T>(size);
            kernel.backward(x.data(), dy.data(), grad_input.data(), size, parameters...);
            return grad_input;
        });
        CHECK_RELATIVE(dx, dx_expected, tolerance);
    }
}
