// A thread that sleeps is kept off the CPU of the one that wakes it, and only until it has woken.
#include "runtime/placement.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "kernels_to_test.hpp"

namespace {

cpu_set_t allowed(pid_t thread) {
    cpu_set_t found;
    CPU_ZERO(&found);
    CHECK_EQUAL(sched_getaffinity(thread, sizeof found, &found), 0);
    return found;
}

pid_t this_thread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

}  // namespace

TEST_CASE("a thread is kept off the CPU of the caller until it restores its place") {
    const cpu_set_t before = allowed(0);
    const auto may_move = CPU_COUNT(&before) > 1;
    std::promise<std::pair<pid_t, pynet::Placement*>> asleep;
    std::promise<void> woken;
    cpu_set_t after;
    std::thread sleeper([&] {
        pynet::Placement placement;
        asleep.set_value({this_thread(), &placement});
        woken.get_future().wait();
        placement.restore();
        after = allowed(this_thread());
    });
    const auto [thread, placement] = asleep.get_future().get();
    for (int again = 0; again < 2; ++again) {  // a second time changes nothing
        placement->keep_off_this_cpu();
        const cpu_set_t kept = allowed(thread);
        CHECK_EQUAL(CPU_COUNT(&kept), CPU_COUNT(&before) - may_move);
    }
    woken.set_value();
    sleeper.join();
    CHECK(CPU_EQUAL(&after, &before));
}

TEST_CASE("workers that have been woken may run wherever they might before") {
    const Threads threads(3);
    static const cpu_set_t before = allowed(0);
    std::atomic<int> different{0};
    for (int again = 0; again < 20; ++again) {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));  // the workers are asleep by now
        pynet::parallel_team(
            3,
            [](void* context, pynet::Team&) {
                const cpu_set_t now = allowed(this_thread());
                *static_cast<std::atomic<int>*>(context) += !CPU_EQUAL(&now, &before);
                std::this_thread::sleep_for(std::chrono::milliseconds(1));  // so that the others come too
            },
            &different);
    }
    CHECK_EQUAL(different.load(), 0);
}
