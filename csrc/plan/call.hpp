// What the files of Plan share: one call, and how its work is divided among a team.
#pragma once

#include "plan/plan.hpp"
#include "plan/stage.hpp"

namespace pynet {

// What one call works on.
template <class T>
struct Plan<T>::Call {
    const T* x;
    T* y;  // of a prediction; null for a step
    Target<T> target;
    Index rows;
    StepOptions options;
    Learner<T> learner;
    double divisor = 1;

    bool learning() const { return y == nullptr; }
};

constexpr Index rows_worth_packing = 128;  // batches from which on packed weights pay, measured on 2 cores

template <class T>
void copy_rows(const T* from, Index count, Index columns, T* to) {
    std::memcpy(to, from, static_cast<std::size_t>(count * columns) * sizeof(T));
}

}  // namespace pynet
