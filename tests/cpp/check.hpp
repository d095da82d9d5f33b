// Checks for the C++ tests: no framework, nothing to download; a failed check prints both values and the test goes on.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

namespace check {

struct Case {
    const char* name;
    void (*run)();
};

inline std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

inline int failures = 0;

struct Registration {
    Registration(const char* name, void (*run)()) { cases().push_back({name, run}); }
};

template <class T>
std::string text(const T& value) {
    std::ostringstream out;
    out.precision(17);
    out << value;
    return out.str();
}

template <class T>
std::string text(const std::vector<T>& values) {
    std::string out = "{";
    for (const T& value : values) out += (out.size() > 1 ? ", " : "") + text(value);
    return out + "}";
}

inline void report(bool passed, const std::string& what, const char* file, int line) {
    if (passed) return;
    ++failures;
    std::printf("%s:%d: %s\n", file, line, what.c_str());
}

template <class A, class B>
void equal(const A& got, const B& expected, const char* expression, const char* file, int line) {
    if (got == expected) return;
    report(false, std::string(expression) + ": got " + text(got) + ", expected " + text(expected), file, line);
}

// |got - expected| <= tolerance * max(scale, |expected|), element by element; NaN equals NaN, infinity only itself.
template <class A, class B>
void close(const std::vector<A>& got, const std::vector<B>& expected, double tolerance, double scale,
           const char* expression, const char* file, int line) {
    if (got.size() != expected.size()) return equal(got.size(), expected.size(), expression, file, line);
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double g = double(got[i]), e = double(expected[i]);
        if (g == e || (g != g && e != e)) continue;
        if (std::isfinite(e) && std::fabs(g - e) <= tolerance * std::fmax(scale, std::fabs(e))) continue;
        std::string what = std::string(expression) + " at " + text(i) + ": got " + text(g) + ", expected " + text(e);
        if (got.size() <= 24) what += "; in all " + text(got) + ", expected " + text(expected);
        return report(false, what, file, line);
    }
}

// Runs every case, or the one that the first argument names.
inline int main(int argc, char** argv) {
    int ran = 0;
    for (const Case& c : cases()) {
        if (argc > 1 && std::strcmp(argv[1], c.name) != 0) continue;
        ++ran;
        try {
            c.run();
        } catch (const std::exception& error) {
            report(false, std::string(c.name) + " threw " + error.what(), __FILE__, __LINE__);
        }
    }
    std::printf("%d case(s), %d failed check(s)\n", ran, failures);
    return ran == 0 ? 2 : failures != 0;
}

}  // namespace check

#define CHECK_JOIN2(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN2(a, b)
#define TEST_CASE(name)                                                                                      \
    static void CHECK_JOIN(test_, __LINE__)();                                                               \
    static const check::Registration CHECK_JOIN(registration_, __LINE__){name, CHECK_JOIN(test_, __LINE__)}; \
    static void CHECK_JOIN(test_, __LINE__)()
#define CHECK(expression) check::report(static_cast<bool>(expression), "failed: " #expression, __FILE__, __LINE__)
#define CHECK_EQUAL(got, expected) check::equal(got, expected, #got, __FILE__, __LINE__)
#define CHECK_CLOSE(got, expected, tolerance) check::close(got, expected, tolerance, 1, #got, __FILE__, __LINE__)
#define CHECK_RELATIVE(got, expected, tolerance) check::close(got, expected, tolerance, 0, #got, __FILE__, __LINE__)
