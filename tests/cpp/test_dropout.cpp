// Dropout: its random numbers against the published ones of Philox, its mask, its scale, and infinities.
#include <array>

#include "kernels_to_test.hpp"

namespace {

using Four = std::array<std::uint32_t, 4>;

// Philox4x32-10, one counter at a time, as the paper (Salmon et al., SC 2011) writes it down.
Four philox(Four c, std::uint32_t key0, std::uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = 0xD2511F53ULL * c[0], b = 0xCD9E8D57ULL * c[2];
        c = {std::uint32_t(b >> 32) ^ c[1] ^ key0, std::uint32_t(b), std::uint32_t(a >> 32) ^ c[3] ^ key1,
             std::uint32_t(a)};
        key0 += 0x9E3779B9U;
        key1 += 0xBB67AE85U;
    }
    return c;
}

// The random word of element i: 64 elements share 16 counters, first all their words 0, then all their words 1, ...
std::uint32_t word(std::uint64_t seed, std::uint64_t i) {
    const std::uint64_t counter = i / 64 * 16 + i % 16;
    return philox({std::uint32_t(counter), std::uint32_t(counter >> 32), 0, 0}, std::uint32_t(seed),
                  std::uint32_t(seed >> 32))[i % 64 / 16];
}

}  // namespace

TEST_CASE("philox of the tests gives the published numbers") {
    CHECK(philox({0, 0, 0, 0}, 0, 0) == (Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    const std::uint32_t ones = 0xffffffff;
    CHECK(philox({ones, ones, ones, ones}, ones, ones) == (Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0) ==
          (Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST_CASE("philox of the kernels counts in 64 bits") {
    const std::uint64_t seed = 0x0123456789abcdef;
    for (const std::uint64_t group :
         {std::uint64_t(0), std::uint64_t(5), std::uint64_t(1) << 28, ~std::uint64_t(0) / 64}) {
        std::vector<std::uint32_t> words(64), expected;
        pynet::baseline::philox(seed, group, words.data());
        for (std::uint64_t i = 0; i < 64; ++i) expected.push_back(word(seed, 64 * group + i));
        CHECK_EQUAL(words, expected);
    }
}

TEST_CASE("dropout keeps the elements whose random word is large") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).dropout;
        for (const Index size : {0, 1, 63, 64, 65, 20003}) {
            for (const std::uint64_t seed : {0ULL, 1ULL, 0x123456789abcdef0ULL}) {
                for (const double p : {0.0, 0.25, 0.5, 0.99}) {
                    const auto x = numbers<T>(size, 1);
                    std::vector<double> expected, kept;
                    for (Index i = 0; i < size; ++i) {
                        kept.push_back(word(seed, i) >= std::floor(p * 4294967296.0));  // 2^32
                        expected.push_back(kept[i] * double(x[i]) / (1 - p));
                    }
                    std::vector<std::uint8_t> mask(size);
                    const auto y = on_any_threads([&] {
                        mask.assign(size, 77);
                        auto output = unset<T>(size);
                        k.forward(x.data(), output.data(), mask.data(), size, seed, p);
                        return output;
                    });
                    CHECK_CLOSE(mask, kept, 0);
                    CHECK_RELATIVE(y, expected, 2 * epsilon<T>);
                }
            }
        }
    });
}

TEST_CASE("dropout silences a share p") {
    std::vector<float> x(100000, 1), y(100000);
    std::vector<std::uint8_t> mask(100000);
    pynet::kernels<float>(pynet::Isa::baseline).dropout.forward(x.data(), y.data(), mask.data(), 100000, 3, 0.25);
    double kept = 0;
    for (const std::uint8_t m : mask) kept += m;
    CHECK_CLOSE((std::vector<double>{kept / 100000}), (std::vector<double>{0.75}), 0.007);  // 5 standard deviations
}

TEST_CASE("dropout backward scales what the mask kept, and drops infinities") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const T inf = INFINITY, nan = NAN;
        const std::vector<T> dy{1, 2, inf, -inf, nan, inf, -3};
        const std::vector<std::uint8_t> mask{1, 0, 0, 0, 0, 1, 1};
        auto dx = unset<T>(7);
        pynet::kernels<T>(isa).dropout.backward(dy.data(), mask.data(), dx.data(), 7, 0.75);
        CHECK_CLOSE(dx, (std::vector<T>{4, 0, 0, 0, 0, inf, -12}), 0);  // 1 / (1 - 3/4) = 4
    });
}

TEST_CASE("dropout backward of many elements") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).dropout;
        const Index size = 100003;
        const auto dy = numbers<T>(size, 1);
        std::vector<std::uint8_t> mask;
        std::vector<T> expected;
        for (Index i = 0; i < size; ++i) {
            mask.push_back(i % 7 < 3);
            expected.push_back(i % 7 < 3 ? 2 * dy[i] : 0);
        }
        const auto dx = on_any_threads([&] {
            auto grad_input = unset<T>(size);
            k.backward(dy.data(), mask.data(), grad_input.data(), size, 0.5);
            return grad_input;
        });
        CHECK_CLOSE(dx, expected, 0);
    });
}

TEST_CASE("dropout draws a mask piece by piece") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).dropout;
        const std::vector<T> x(1000, T(1));
        auto y = unset<T>(1000);
        std::vector<std::uint8_t> whole(1000, 7), pieces(1000, 7);
        k.forward(x.data(), y.data(), whole.data(), 1000, 42, 0.3);
        const Index ends[] = {0, 1, 63, 64, 65, 200, 999, 1000};
        for (int i = 7; i > 0; --i) k.draw(pieces.data(), ends[i - 1], ends[i], 42, 0.3);
        CHECK(pieces == whole);
        k.draw(pieces.data(), 5, 5, 1, 0.3);
        CHECK(pieces == whole);
    });
}
