// What the machine can do at most: multiply-adds per second, and bytes per second by the size of what is worked on.
// Prints one line of JSON. Compiled for this machine and run by floor.py; the argument is the number of threads.
#include <atomic>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int width = 16, chains = 14;
#elif defined(__AVX__)
constexpr int width = 8, chains = 12;
#else
constexpr int width = 4, chains = 12;
#endif
typedef float Vector __attribute__((vector_size(4 * width)));

float sink;

// The median over nine rounds of the slowest thread's seconds.
double seconds(int threads, const std::function<void(int)>& work) {
    std::vector<double> rounds;
    for (int round = 0; round < 9; ++round) {
        std::atomic<int> ready{0};
        std::atomic<bool> go{false};
        std::vector<double> took(threads);
        std::vector<std::thread> team;
        for (int t = 0; t < threads; ++t) {
            team.emplace_back([&, t] {
                ++ready;
                while (!go) {
                }
                const auto start = std::chrono::steady_clock::now();
                work(t);
                took[t] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            });
        }
        while (ready < threads) {
        }
        go = true;
        for (auto& thread : team) thread.join();
        rounds.push_back(*std::max_element(took.begin(), took.end()));
    }
    std::sort(rounds.begin(), rounds.end());
    return rounds[rounds.size() / 2];
}

// Independent chains of multiply-adds in registers: 2 operations per lane.
void multiply_add(long count) {
    Vector sums[chains];
    for (auto& s : sums) s = Vector{} + 1.0F;
    const Vector factor = Vector{} + 0.999F, term = Vector{} + 1e-9F;
    for (long i = 0; i < count; ++i) {
#pragma GCC unroll 16
        for (int c = 0; c < chains; ++c) sums[c] = sums[c] * factor + term;
        asm volatile("" ::"x"(sums[0]), "x"(sums[1]));  // the loop must not be folded
    }
    for (const auto& s : sums) sink += s[0];
}

int main(int, char** arguments) {
    const int threads = std::atoi(arguments[1]);
    const long count = 2000000;
    const double peak = double(threads) * count * chains * width * 2 / seconds(threads, [=](int) { multiply_add(count); });
    std::printf("{\"threads\": %d, \"gflops\": %.1f, \"update\": {", threads, peak * 1e-9);
    // v = m v + c;  w -= lr v: as an optimizer moves weights, two reads and two writes.
    const long kilobytes[] = {256, 1024, 4096, 32768, 131072};
    for (const long size : kilobytes) {
        const long n = size * 1024 / 8 / threads / width * width, repeats = std::max(2L, 100000000L / (size * 1024));
        std::vector<std::vector<float>> v(threads), w(threads);
        for (int t = 0; t < threads; ++t) {
            v[t].assign(n, 0.0F);
            w[t].assign(n, 0.0F);
        }
        const double took = seconds(threads, [&](int t) {
            float *a = v[t].data(), *b = w[t].data();
            for (long r = 0; r < repeats; ++r) {
                for (long i = 0; i < n; ++i) {
                    a[i] = 0.9F * a[i] + 1e-3F;
                    b[i] -= 1e-3F * a[i];
                }
                asm volatile("" ::: "memory");
            }
        });
        std::printf("%s\"%ld\": %.1f", size == kilobytes[0] ? "" : ", ", size, 16e-9 * n * threads * repeats / took);
    }
    std::printf("}}\n");
}
