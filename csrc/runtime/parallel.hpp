// One pool of threads for everything that pynet computes: the only place that knows threads.
#pragma once

#include "runtime/index.hpp"
#include "runtime/thread_count.hpp"

namespace pynet {

// The threads that work on a job together. Each of them runs the whole job; what they share is divided into parts.
class Team {
 public:
    static constexpr Index most_parts = 256;

    Team(int member, int members, unsigned long long phase) : member_(member), members_(members), phase_(phase) {}

    // Whether this member is the only one: it then does all parts in their order.
    bool is_one() const { return members_ == 1; }

    // f(part) for every part in [0, parts), parts <= most_parts, each on one of the members, and returns when all are
    // done: what was written in them, every member can read then. A part belongs to a certain member, so that what it
    // works on stays in that one's cache; the others take it if its member does not come. All members share the same
    // things in the same order.
    template <class F>
    void share(Index parts, const F& f) {
        share(parts, [](void* context, Index part) { (*static_cast<const F*>(context))(part); }, const_cast<F*>(&f));
    }

 private:
    void share(Index parts, void (*f)(void* context, Index part), void* context);

    const int member_, members_;
    unsigned long long phase_;  // how many things have been shared before
};

// Runs job(context, team) on at most `wanted` threads at once, the caller's among them: on that one alone with one
// thread, from inside a job, or while another caller has the pool. A thread that is asleep joins when it wakes; nobody
// waits for it. A job must not throw. No more than there are CPUs, for members that wait for parts of others do so
// without rest.
void parallel_team(Index wanted, void (*job)(void* context, Team& team), void* context);

// Runs job(context, block) once for every block in [0, blocks), divided among a team. Which blocks there are is the
// caller's business: as long as it looks at sizes only, no result depends on the number of threads.
void parallel_for(Index blocks, void (*job)(void* context, Index block), void* context);

}  // namespace pynet
