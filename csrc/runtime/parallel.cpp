#include "runtime/parallel.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "runtime/placement.hpp"

namespace pynet {
namespace {

using Job = void (*)(void*, Team&);
using Clock = std::chrono::steady_clock;
using Number = unsigned long long;

// Set while this thread runs a job: a job inside a job must not wait for the pool it runs on.
thread_local bool inside = false;

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// For waiting: spins at first (for some 50 us), then lets others have the CPU.
class Spin {
 public:
    void once() {
        if (count_ < limit) {
            ++count_;
            relax();
        } else {
            sched_yield();
        }
    }
    bool is_long() const { return count_ == limit; }

 private:
    static constexpr int limit = 2000;
    int count_ = 0;
};

}  // namespace

class Pool {
 public:
    // False when another caller has the pool.
    bool try_run(int threads, Job job, void* context) {
        if (!owner_.try_lock()) return false;
        const std::lock_guard<std::mutex> guard(owner_, std::adopt_lock);
        start_workers(threads - 1);
        job_ = job;
        context_ = context;
        begin_ = finished_.load(std::memory_order_relaxed);
        open(threads);
        take_part(0, threads);
        close();
        return true;
    }

    // See Team::share.
    void share(int member, int members, Number phase, Index parts, void (*f)(void*, Index), void* context) {
        const Index begin = parts * member / members, own = parts * (member + 1) / members - begin;
        for (Index i = 0; i < parts; ++i) {
            if (i == own && ends_soon(phase)) return;
            const Index part = begin + i < parts ? begin + i : begin + i - parts;
            if (!claims_[part].take(phase)) continue;
            f(context, part);
            if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == parts) {
                done_.store(0, std::memory_order_relaxed);
                finished_.store(phase, std::memory_order_release);
                return;
            }
        }
        for (Spin spin; !has_finished(phase);) spin.once();
    }

 private:
    // Whether somebody has begun with a part: holds the last phase in which this happened.
    struct alignas(64) Claim {
        std::atomic<Number> phase{0};

        bool take(Number now) {
            Number last = phase.load(std::memory_order_relaxed);
            return last < now && phase.compare_exchange_strong(last, now, std::memory_order_relaxed);
        }
    };

    bool has_finished(Number phase) const { return finished_.load(std::memory_order_acquire) >= phase; }

    // Waits a microsecond before parts of others are taken: they are better off where they belong.
    bool ends_soon(Number phase) const {
        for (int spin = 0; spin < 30; ++spin) {
            if (has_finished(phase)) return true;
            relax();
        }
        return false;
    }

    // As many as the system allows.
    void start_workers(int count) {
        try {
            while (workers_ < count) {
                std::thread([this, id = workers_ + 1] { work(id); }).detach();
                ++workers_;
            }
        } catch (const std::exception&) {
        }
    }

    // A run is one number: its serial number, whether it is open, how many threads it is for and how many are inside.
    // So a worker that comes too late sees it without a look at the job, which may change under its eyes.
    static constexpr Number one_inside = 1, one_thread = 1 << 10, is_open = 1 << 20, one_run = 1 << 21;
    static Number serial(Number run) { return run / one_run; }
    static int inside_of(Number run) { return static_cast<int>(run % one_thread); }
    static int threads_of(Number run) { return static_cast<int>(run % is_open / one_thread); }

    void open(int threads) {
        const Number next = (serial(run_.load(std::memory_order_relaxed)) + 1) * one_run;
        pthread_mutex_lock(&mutex_);
        for (int id = 1; id < threads; ++id) {
            if (sleepers_[id]) sleepers_[id]->keep_off_this_cpu();
        }
        run_.store(next + is_open + static_cast<Number>(threads) * one_thread, std::memory_order_release);
        pthread_mutex_unlock(&mutex_);
        pthread_cond_broadcast(&opened_);
    }

    // The parts are done, so whoever is inside leaves soon.
    void close() {
        run_.fetch_and(~is_open, std::memory_order_acq_rel);
        for (Spin spin; inside_of(run_.load(std::memory_order_acquire)) > 0;) spin.once();
    }

    void work(int id) {
        Placement placement;
        for (Number seen = 0;;) {
            Number run = next_run(seen, id, placement);
            seen = serial(run);
            while (serial(run) == seen && (run & is_open) && id < threads_of(run)) {
                if (!run_.compare_exchange_weak(run, run + one_inside, std::memory_order_acq_rel)) continue;
                take_part(id, threads_of(run));
                run_.fetch_sub(one_inside, std::memory_order_acq_rel);
                break;
            }
        }
    }

    bool is_new(Number run, Number seen) const { return (run & is_open) && serial(run) != seen; }

    // Returns it when there is one. To wake a sleeping worker costs 40 us and more, so it stays awake for a while; also
    // when it has been woken for a run that is over by then, for the next one follows.
    Number next_run(Number seen, int id, Placement& placement) {
        constexpr auto awake = std::chrono::microseconds(300);
        for (;;) {
            Clock::time_point end = Clock::time_point::max();
            for (Spin spin; Clock::now() < end; spin.once()) {
                const Number run = run_.load(std::memory_order_acquire);
                if (is_new(run, seen)) return run;
                if (spin.is_long() && end == Clock::time_point::max()) end = Clock::now() + awake;
            }
            pthread_mutex_lock(&mutex_);
            if (!is_new(run_.load(std::memory_order_acquire), seen)) {
                sleepers_[id] = &placement;
                pthread_cond_wait(&opened_, &mutex_);
                sleepers_[id] = nullptr;
                placement.restore();
            }
            pthread_mutex_unlock(&mutex_);
        }
    }

    void take_part(int id, int threads) noexcept {
        inside = true;
        Team team(id, threads, begin_);
        job_(context_, team);
        inside = false;
    }

    std::mutex owner_;
    // Not std::condition_variable: with GCC 12 its wait() asks for a newer libstdc++ than the rest of the wheel does.
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t opened_ = PTHREAD_COND_INITIALIZER;
    int workers_ = 0;
    Placement* sleepers_[max_threads + 1] = {};  // by id; null of those that are awake
    Job job_ = nullptr;
    void* context_ = nullptr;
    Number begin_ = 0;  // phases of earlier runs
    alignas(64) std::atomic<Number> run_{0};
    alignas(64) std::atomic<Number> finished_{0};  // the last phase whose parts are all done
    alignas(64) std::atomic<Index> done_{0};       // parts of the present phase
    Claim claims_[Team::most_parts];
};

namespace {

// Never destroyed: at exit workers may still wait on it. Kept in a global so that leak checkers see it. Made when the
// library is loaded, not when it is first used: a child that is forked just then would wait for that forever.
std::atomic<Pool*> current_pool{new Pool};

// A forked child has none of its parent's workers, and perhaps a locked mutex: it starts afresh.
[[maybe_unused]] const int starts_afresh = pthread_atfork(nullptr, nullptr, [] {
    current_pool = new Pool;
    inside = false;
});

const Index cpus = num_cpus();

Pool& pool() { return *current_pool.load(std::memory_order_relaxed); }

}  // namespace

void Team::share(Index parts, void (*f)(void*, Index), void* context) {
    if (members_ > 1 && parts > 0) return pool().share(member_, members_, ++phase_, parts, f, context);
    for (Index part = 0; part < parts; ++part) f(context, part);
}

namespace {

void run(Index threads, Job job, void* context) {
    if (threads > 1 && !inside && pool().try_run(static_cast<int>(threads), job, context)) return;
    const bool before = inside;
    inside = true;  // what the job calls stays on this thread, as on a team of more
    Team alone(0, 1, 0);
    job(context, alone);
    inside = before;
}

Index smaller(Index a, Index b) { return a < b ? a : b; }

}  // namespace

void parallel_team(Index wanted, void (*job)(void*, Team&), void* context) {
    run(smaller(wanted, smaller(num_threads(), cpus)), job, context);
}

void parallel_for(Index blocks, void (*job)(void*, Index), void* context) {
    struct Work {
        Index blocks, parts;
        void (*job)(void*, Index);
        void* context;
        static void run(void* work, Team& team) {
            const Work& w = *static_cast<Work*>(work);
            team.share(w.parts, [&w](Index part) {
                const Index end = w.blocks * (part + 1) / w.parts;
                for (Index block = w.blocks * part / w.parts; block < end; ++block) w.job(w.context, block);
            });
        }
    } work{blocks, 0, job, context};
    const Index threads = smaller(num_threads(), blocks);
    work.parts = smaller(blocks, smaller(4 * threads, Team::most_parts));  // also for those that come late
    run(threads, Work::run, &work);
}

}  // namespace pynet
