#include "runtime/parallel.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace pynet {
namespace {

using Job = void (*)(void*, Team);

// Set while this thread runs blocks: a parallel_for inside a block must not wait for the pool it runs on.
thread_local bool inside = false;

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// Workers spin this often (about 20 us) before they sleep: waking a sleeping one costs about 40 us.
constexpr int spins = 2000;
constexpr int max_threads = 1 << 10;

using Clock = std::chrono::steady_clock;

// Whether the CPUs are worth using at present. Threads of other pools may spin on them: those of NumPy's BLAS do so for
// 0.1 s after every product, and a team that waits for members without a CPU takes three times as long as one thread.
// So when a run has spent much of its time in waiting, the next ones stay on their callers' threads for a while.
class Patience {
 public:
    bool is_over(Clock::time_point now) const { return now < until_; }

    void judge(Clock::time_point now, Clock::duration took, Clock::duration waited, bool woken) {
        if (waited < std::chrono::microseconds(200) || 3 * waited < took) {
            slow_ = 0;
            pause_ = shortest;
            return;
        }
        // To wake a worker may take a millisecond, and a CPU may be taken away once: a sign is that it happens again.
        if (++slow_ < (woken ? 8 : 3)) return;
        slow_ = 0;
        until_ = now + pause_;
        pause_ = pause_ < longest ? 2 * pause_ : pause_;
    }

 private:
    static constexpr Clock::duration shortest = std::chrono::milliseconds(10), longest = std::chrono::milliseconds(160);
    Clock::time_point until_{};
    Clock::duration pause_ = shortest;
    int slow_ = 0;
};

class Pool {
 public:
    // False when another caller has the pool, or others have the CPUs.
    bool try_run(int threads, Job job, void* context) {
        if (!owner_.try_lock()) return false;
        const std::lock_guard<std::mutex> guard(owner_, std::adopt_lock);
        const Clock::time_point start = Clock::now();
        if (patience_.is_over(start)) return false;
        waited_.store(0, std::memory_order_relaxed);
        woken_.store(false, std::memory_order_relaxed);
        threads = start_workers(threads);
        job_ = job;
        context_ = context;
        busy_.store(threads - 1, std::memory_order_relaxed);
        announce(threads);
        run_share(0, threads);
        wait_for_workers();
        const Clock::time_point end = Clock::now();
        patience_.judge(end, end - start, Clock::duration(waited_.load(std::memory_order_relaxed)),
                        woken_.load(std::memory_order_relaxed));
        return true;
    }

    void meet(int members) {
        const unsigned meeting = meetings_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) == members - 1) {
            arrived_.store(0, std::memory_order_relaxed);
            meetings_.store(meeting + 1, std::memory_order_release);
            return;
        }
        for (int spin = 0; spin < spins; ++spin) {
            if (meetings_.load(std::memory_order_acquire) != meeting) return;
            relax();
        }
        const Clock::time_point start = Clock::now();
        while (meetings_.load(std::memory_order_acquire) == meeting) sched_yield();  // a member may wait for this CPU
        add_wait(start);
    }

 private:
    // The number of threads that can take part: fewer than asked for where the system refuses more.
    int start_workers(int threads) {
        try {
            while (workers_ < threads - 1) {
                std::thread([this, id = workers_ + 1, seen = ticket_.load()] { work(id, seen); }).detach();
                ++workers_;
            }
        } catch (const std::exception&) {
        }
        return workers_ + 1 < threads ? workers_ + 1 : threads;
    }

    // A ticket holds a running number and how many threads take part, so that a worker which does not take part learns
    // it without a look at the job, which may change under its eyes.
    void announce(int threads) {
        const unsigned long long number = ticket_.load(std::memory_order_relaxed) / max_threads + 1;
        pthread_mutex_lock(&mutex_);
        ticket_.store(number * max_threads + static_cast<unsigned long long>(threads), std::memory_order_release);
        pthread_mutex_unlock(&mutex_);
        pthread_cond_broadcast(&changed_);
    }

    void work(int id, unsigned long long seen) {
        for (;;) {
            seen = next_ticket(seen);
            const int threads = static_cast<int>(seen % max_threads);
            if (id >= threads) continue;
            run_share(id, threads);
            if (busy_.fetch_sub(1, std::memory_order_acq_rel) != 1) continue;
            pthread_mutex_lock(&mutex_);
            pthread_mutex_unlock(&mutex_);
            pthread_cond_signal(&finished_);
        }
    }

    unsigned long long next_ticket(unsigned long long seen) {
        for (int spin = 0; spin < spins; ++spin) {
            const unsigned long long ticket = ticket_.load(std::memory_order_acquire);
            if (ticket != seen) return ticket;
            relax();
        }
        pthread_mutex_lock(&mutex_);
        while (ticket_.load(std::memory_order_acquire) == seen) pthread_cond_wait(&changed_, &mutex_);
        pthread_mutex_unlock(&mutex_);
        woken_.store(true, std::memory_order_relaxed);
        return ticket_.load(std::memory_order_acquire);
    }

    void run_share(int id, int threads) {
        inside = true;
        job_(context_, {id, threads});
        inside = false;
    }

    void wait_for_workers() {
        for (int spin = 0; spin < spins; ++spin) {
            if (busy_.load(std::memory_order_acquire) == 0) return;
            relax();
        }
        const Clock::time_point start = Clock::now();
        pthread_mutex_lock(&mutex_);
        while (busy_.load(std::memory_order_acquire) != 0) pthread_cond_wait(&finished_, &mutex_);
        pthread_mutex_unlock(&mutex_);
        add_wait(start);
    }

    void add_wait(Clock::time_point start) {
        waited_.fetch_add((Clock::now() - start).count(), std::memory_order_relaxed);
    }

    std::mutex owner_;
    // Not std::condition_variable: with GCC 12 its wait() asks for a newer libstdc++ than the rest of the wheel does.
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;
    pthread_cond_t finished_ = PTHREAD_COND_INITIALIZER;
    std::atomic<unsigned long long> ticket_{0};
    std::atomic<int> busy_{0};
    int workers_ = 0;
    Job job_ = nullptr;
    void* context_ = nullptr;
    std::atomic<int> arrived_{0};
    std::atomic<unsigned> meetings_{0};
    std::atomic<Clock::rep> waited_{0};
    std::atomic<bool> woken_{false};
    Patience patience_;
};

// Never destroyed: at exit workers may still wait on it. Kept in a global so that leak checkers see it.
std::atomic<Pool*> current_pool{nullptr};

Pool& pool() {
    static const bool ready = [] {
        current_pool = new Pool;
        // A forked child has none of its parent's workers, and perhaps a locked mutex: it starts afresh.
        pthread_atfork(nullptr, nullptr, [] {
            current_pool = new Pool;
            inside = false;
        });
        return true;
    }();
    (void)ready;
    return *current_pool.load();
}

int from_environment(const char* name) {
    const char* text = std::getenv(name);
    return text ? std::atoi(text) : 0;
}

int from_affinity() {
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) return CPU_COUNT(&cpus);
    return static_cast<int>(std::thread::hardware_concurrency());
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

int at_most_max(int count) { return count < 1 ? 1 : count < max_threads ? count : max_threads - 1; }

int default_threads() {
    for (const char* name : {"PYNET_NUM_THREADS", "OMP_NUM_THREADS"}) {
        if (const int count = from_environment(name); count > 0) return at_most_max(count);
    }
    const int cpus = from_affinity(), quota = from_cgroup();
    return at_most_max(quota > 0 && quota < cpus ? quota : cpus);
}

std::atomic<int>& thread_count() {
    static std::atomic<int> count{default_threads()};
    return count;
}

}  // namespace

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int count) { thread_count().store(at_most_max(count), std::memory_order_relaxed); }

void Team::meet() const {
    if (members > 1) pool().meet(members);
}

void parallel_for(Index blocks, void (*job)(void*, Index), void* context) {
    struct Work {
        Index blocks;
        void (*job)(void*, Index);
        void* context;
        static void run(void* work, Team team) {
            const Work& w = *static_cast<Work*>(work);
            const Index end = w.blocks * (team.member + 1) / team.members;
            for (Index block = w.blocks * team.member / team.members; block < end; ++block) w.job(w.context, block);
        }
    } work{blocks, job, context};
    const Index threads = num_threads() < blocks ? num_threads() : blocks;
    if (threads > 1 && !inside && pool().try_run(static_cast<int>(threads), Work::run, &work)) return;
    Work::run(&work, {0, 1});
}

void parallel_team(Index wanted, void (*job)(void*, Team), void* context) {
    static const int cpus = from_affinity();
    Index threads = num_threads() < cpus ? num_threads() : cpus;
    if (wanted < threads) threads = wanted;
    if (threads > 1 && !inside && pool().try_run(static_cast<int>(threads), job, context)) return;
    const bool before = inside;
    inside = true;  // what the job calls stays on this thread, as on a team of more
    job(context, {0, 1});
    inside = before;
}

}  // namespace pynet
