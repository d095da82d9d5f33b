// The pool: every block once, for any number of threads, callers, levels and processes.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "child_process.hpp"
#include "kernels_to_test.hpp"
#include "runtime/blas.hpp"
#include "runtime/denormals.hpp"

namespace {

template <class Job>
void for_each_block(Index blocks, Job job) {
    pynet::parallel_for(blocks, [](void* context, Index block) { (*static_cast<Job*>(context))(block); }, &job);
}

// How often each block ran. Not atomic: a block that two threads run at once is an error as well.
std::vector<int> runs(Index blocks) {
    std::vector<int> count(blocks);
    for_each_block(blocks, [&](Index block) { ++count[block]; });
    return count;
}

bool each_once(Index blocks) { return runs(blocks) == std::vector<int>(blocks, 1); }

// For a child process: 0 if the pool and BLAS work there.
int everything_works() {
    if (!each_once(100)) return 1;
    const double a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8};
    double c[] = {0, 0, 0, 0};
    pynet::gemm(false, false, 2, 2, 2, a, 2, b, 2, 0, c, 2);
    if (std::vector<double>(c, c + 4) != std::vector<double>{19, 22, 43, 50}) return 2;
    const std::vector<double> x(100003, 2), zeros(100003, 0);
    return pynet::kernels<double>(pynet::Isa::baseline).mse.forward(x.data(), zeros.data(), nullptr, 1, 100003, {}) ==
                   400012
               ? 0
               : 3;
}

}  // namespace

TEST_CASE("parallel_for runs every block exactly once") {
    for (const int count : {1, 2, 3, 8, 64, 2}) {
        const Threads threads(count);
        CHECK_EQUAL(pynet::num_threads(), count);
        for (const Index blocks : {0, 1, 2, 3, 64, 1000}) {
            for (int again = 0; again < 20; ++again) CHECK_EQUAL(each_once(blocks) ? -1 : blocks, Index(-1));
        }
    }
}

TEST_CASE("parallel_for runs blocks at the same time") {
    const Threads threads(3);
    std::atomic<int> here{0};
    for_each_block(3, [&](Index) {
        ++here;
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (here < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        CHECK_EQUAL(here.load(), 3);
    });
}

TEST_CASE("parallel_for inside a job stays on the thread of that job") {
    const Threads threads(3);
    std::vector<std::vector<int>> counts(7);
    std::atomic<int> elsewhere{0};
    for_each_block(7, [&](Index outer) {
        const auto thread = std::this_thread::get_id();
        counts[outer].resize(40);
        for_each_block(40, [&](Index inner) {
            ++counts[outer][inner];
            elsewhere += std::this_thread::get_id() != thread;
        });
    });
    for (const auto& count : counts) CHECK_EQUAL(count, std::vector<int>(40, 1));
    CHECK_EQUAL(elsewhere.load(), 0);
    CHECK(each_once(100));  // and the pool still works
}

TEST_CASE("a team does every part once, and what was written in the parts before can be read") {
    for (const int count : {1, 2, 5}) {
        const Threads threads(count);
        for (int again = 0; again < 200; ++again) {
            struct Work {
                std::vector<int> written = std::vector<int>(7), seen = written, done = written;
                std::atomic<int> members{0};
                static void run(void* context, pynet::Team& team) {
                    Work& w = *static_cast<Work*>(context);
                    ++w.members;
                    for (int round = 1; round <= 10; ++round) {
                        team.share(7, [&](Index part) { w.written[part] += round; });  // not atomic
                        team.share(0, [](Index) {});
                        team.share(3, [&](Index part) {
                            ++w.done[part];
                            for (const int sum : w.written) w.seen[part] += sum == round * (round + 1) / 2;
                        });
                    }
                }
            } work;
            pynet::parallel_team(3, Work::run, &work);
            CHECK(work.members >= 1 && work.members <= std::min(count, 3));
            CHECK_EQUAL(work.written, std::vector<int>(7, 55));
            CHECK_EQUAL(work.done, (std::vector<int>{10, 10, 10, 0, 0, 0, 0}));
            CHECK_EQUAL(work.seen, (std::vector<int>{70, 70, 70, 0, 0, 0, 0}));
        }
    }
}

TEST_CASE("a team does not wait for a member that has not come") {
    const Threads threads(2);
    for (int again = 0; again < 20; ++again) {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));  // the worker is asleep by now
        std::vector<int> counts(8);
        pynet::parallel_team(
            2,
            [](void* context, pynet::Team& team) {
                auto& done = *static_cast<std::vector<int>*>(context);
                for (int round = 0; round < 1000; ++round) team.share(8, [&](Index part) { ++done[part]; });
            },
            &counts);
        CHECK_EQUAL(counts, std::vector<int>(8, 1000));
    }
}

TEST_CASE("parallel_team of one keeps what it calls on its thread") {
    const Threads threads(3);
    std::atomic<int> elsewhere{0};
    const auto job = [](void* context, pynet::Team&) {
        const auto thread = std::this_thread::get_id();
        for_each_block(
            40, [&](Index) { *static_cast<std::atomic<int>*>(context) += std::this_thread::get_id() != thread; });
    };
    pynet::parallel_team(1, job, &elsewhere);
    CHECK_EQUAL(elsewhere.load(), 0);
    CHECK(each_once(100));
}

TEST_CASE("denormals are flushed for a while and on this thread alone") {
    volatile float tiny = 1e-39F, one = 1;
    {
        const pynet::FlushDenormals flush;
        CHECK_EQUAL(tiny * one, 0.0F);
    }
    CHECK(tiny * one > 0.0F);
}

TEST_CASE("parallel_for is for many callers at once") {
    const Threads threads(3);
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&wrong, caller] {
            for (int again = 0; again < 200; ++again) wrong += !each_once(50 + 3 * caller);
        });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK_EQUAL(wrong.load(), 0);
}

TEST_CASE("parallel_for does not wait for another caller") {
    const Threads threads(2);
    std::atomic<bool> started{false}, done{false}, late{false};
    std::thread other([&] {
        for_each_block(2, [&](Index) {
            started = true;
            const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
            while (!done && !late) late = std::chrono::steady_clock::now() > end;
        });
    });
    while (!started) std::this_thread::yield();
    CHECK(each_once(100));
    done = true;
    other.join();
    CHECK(!late);
}

TEST_CASE("parallel_for follows set_num_threads while others use it") {
    const Threads threads(2);
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::thread caller([&] {
        while (!stop) wrong += !each_once(20);
    });
    for (int again = 0; again < 100; ++again) {
        pynet::set_num_threads(1 + again % 6);
        wrong += !each_once(33);
    }
    stop = true;
    caller.join();
    CHECK_EQUAL(wrong.load(), 0);
}

TEST_CASE("pool and BLAS work in a forked child") {
    const Threads threads(3);
    CHECK_EQUAL(everything_works(), 0);
    CHECK_EQUAL(in_child(everything_works), 0);
    CHECK_EQUAL(in_child([] { return in_child(everything_works); }), 0);  // and in its child
    CHECK_EQUAL(everything_works(), 0);
}

TEST_CASE("pool works in a child forked while another thread computes") {
    const Threads threads(3);
    std::atomic<bool> stop{false};
    std::thread caller([&] {
        while (!stop) each_once(20);
    });
#ifdef __SANITIZE_THREAD__
    const int forks = 0;  // ThreadSanitizer stops a child that makes threads of its own beside its parent's
#else
    const int forks = 10;
#endif
    for (int i = 0; i < forks; ++i) CHECK_EQUAL(in_child([] { return each_once(100) ? 0 : 1; }), 0);
    stop = true;
    caller.join();
}

TEST_CASE("results do not depend on the number of threads") {
    const auto x = numbers<float>(300000, 1), target = numbers<float>(300000, 2);
    const auto& k = pynet::kernels<float>(pynet::Isa::baseline);
    const auto loss = [&](int count) {
        const Threads threads(count);
        std::vector<float> p(300000);
        k.sigmoid.forward(x.data(), p.data(), 300000);
        return k.mse.forward(p.data(), target.data(), nullptr, 1, 300000, {});
    };
    const double expected = loss(1);
    for (const int count : {2, 3, 7, 64}) CHECK_EQUAL(loss(count), expected);
}
