#include "runtime/thread_count.hpp"

#include <sched.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <thread>

namespace pynet {
namespace {

int from_environment(const char* name) {
    const char* text = std::getenv(name);
    return text ? std::atoi(text) : 0;
}

// CPUs that the container's quota pays for, rounded up; 0 where there is none.
int from_cgroup() {
    long long quota = 0, period = 0;
    if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
        if (std::fscanf(file, "%lld %lld", &quota, &period) != 2) quota = 0;
        std::fclose(file);
    } else if (std::FILE* old = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r")) {
        if (std::fscanf(old, "%lld", &quota) != 1) quota = 0;
        period = 100000;
        std::fclose(old);
    }
    return quota > 0 && period > 0 ? static_cast<int>((quota + period - 1) / period) : 0;
}

int within_limits(int count) { return count < 1 ? 1 : count < max_threads ? count : max_threads; }

int default_threads() {
    for (const char* name : {"PYNET_NUM_THREADS", "OMP_NUM_THREADS"}) {
        if (const int count = from_environment(name); count > 0) return within_limits(count);
    }
    const int cpus = num_cpus(), quota = from_cgroup();
    return within_limits(quota > 0 && quota < cpus ? quota : cpus);
}

std::atomic<int> thread_count{default_threads()};

}  // namespace

int num_threads() { return thread_count.load(std::memory_order_relaxed); }

void set_num_threads(int count) { thread_count.store(within_limits(count), std::memory_order_relaxed); }

int num_cpus() {
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) return CPU_COUNT(&cpus);
    return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace pynet
