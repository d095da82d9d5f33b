// One pool of threads for everything that pynet computes: the only place that knows threads.
#pragma once

#include "runtime/index.hpp"

namespace pynet {

// At most this many threads work on one call: as set, else $PYNET_NUM_THREADS, else $OMP_NUM_THREADS, else the CPUs
// that affinity and cgroup leave to the process.
int num_threads();

// count >= 1; takes effect at the next call.
void set_num_threads(int count);

// Runs job(context, block) once for every block in [0, blocks), thread t of T taking the t-th T-th of them. Called from
// inside a job, with one thread, or while another caller has the pool, the caller runs all blocks itself. Which blocks
// there are is the caller's business: as long as it looks at sizes only, no result depends on the number of threads.
void parallel_for(Index blocks, void (*job)(void* context, Index block), void* context);

// One of the threads that work on a job together.
struct Team {
    int member, members;

    // Returns when all members have called it; what they wrote before, all can read after.
    void meet() const;
};

// Runs job(context, team) on at most `wanted` threads at once, the caller's among them: on that one alone where
// parallel_for would run all blocks on it. No more than there are CPUs, for members wait for each other without rest.
void parallel_team(Index wanted, void (*job)(void* context, Team team), void* context);

}  // namespace pynet
