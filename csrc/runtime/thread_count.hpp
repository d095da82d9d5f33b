// How many threads pynet may use.
#pragma once

namespace pynet {

constexpr int max_threads = 1023;

// At most this many threads work on one call: as set, else $PYNET_NUM_THREADS, else $OMP_NUM_THREADS, else the CPUs
// that affinity and cgroup leave to the process.
int num_threads();

// count >= 1; takes effect at the next call.
void set_num_threads(int count);

// The CPUs that this process may run on.
int num_cpus();

}  // namespace pynet
