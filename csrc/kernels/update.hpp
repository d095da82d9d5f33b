// An optimizer's update of one parameter: what its kernels take, and the two loops that all of them share.
#pragma once

#include "blocks.hpp"
#include "gradients.hpp"
#include "runtime/denormals.hpp"

namespace pynet {

template <class T>
struct Kernels;

// What an optimizer keeps for a parameter: up to three arrays of its size. The options say which; others are null.
template <class T>
struct States {
    T* of[3] = {nullptr, nullptr, nullptr};
};

// Options are the hyper-parameters, and name their kernel; their Moment is what the formula needs besides, which
// depends on how many steps a parameter has made.
template <class T, class Options>
struct Update {
    using Moment = typename Options::Moment;
    void (*step)(T* parameter, const T* grad, States<T> states, Index size, Options options, Moment moment);
    // The same with grad[n, k] = factors[n] x[k], (rows, columns)
    void (*step_outer)(T* parameter, const T* factors, const T* x, States<T> states, Index rows, Index columns,
                       Options options, Moment moment);
};

namespace PYNET_ISA {

// The arrays from an element on.
template <class T>
[[gnu::always_inline]] inline States<T> from(States<T> states, Index first) {
    for (T*& array : states.of) array = array ? array + first : nullptr;
    return states;
}

// Each optimizer has an `update(parameter, gradient, states, begin, end, options, moment)` for elements [begin, end).
template <class T, class Options>
void update_step(T* parameter, const T* grad, States<T> states, Index size, Options options,
                 typename Options::Moment moment) {
    for_blocks(size, cheap_grain, [=](Index begin, Index end) {
        const FlushDenormals flush;
        update(parameter, GivenGradient<T>{grad}, states, begin, end, options, moment);
    });
}

template <class T, class Options>
void update_step_outer(T* parameter, const T* factors, const T* x, States<T> states, Index rows, Index columns,
                       Options options, typename Options::Moment moment) {
    const FlushDenormals flush;
    for (Index n = 0; n < rows; ++n) {
        const Index at = n * columns;
        update(parameter + at, ScaledRow<T>{factors[n], x}, from(states, at), 0, columns, options, moment);
    }
}

template <class T, class Options>
constexpr Update<T, Options> update_of{update_step<T, Options>, update_step_outer<T, Options>};

}  // namespace PYNET_ISA
}  // namespace pynet
