#pragma once

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pynet {

// Where a sleeping thread wakes. Linux often queues it behind the thread that wakes it, which goes on computing, though
// another CPU is idle: on two CPUs it waited there for 4 ms.
class Placement {
 public:
    // Called by the thread itself, as `restore`.
    Placement() : thread_(static_cast<pid_t>(syscall(SYS_gettid))) {}

    // Has the thread wake on another CPU than the caller's, if it may run on others.
    void keep_off_this_cpu() {
        const int here = sched_getcpu();
        if (is_kept_off_ || here < 0 || sched_getaffinity(thread_, sizeof allowed_, &allowed_) != 0) return;
        cpu_set_t others = allowed_;
        CPU_CLR(here, &others);
        if (CPU_COUNT(&others) == 0) return;
        is_kept_off_ = sched_setaffinity(thread_, sizeof others, &others) == 0;
    }

    // Has the thread run wherever it might before.
    void restore() {
        if (is_kept_off_) sched_setaffinity(thread_, sizeof allowed_, &allowed_);
        is_kept_off_ = false;
    }

 private:
    pid_t thread_;
    bool is_kept_off_ = false;
    cpu_set_t allowed_;
};

}  // namespace pynet
