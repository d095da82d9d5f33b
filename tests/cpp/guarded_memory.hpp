// Arrays beside pages that nobody may touch: a read or write beyond them ends the process.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "runtime/index.hpp"

// Memory with a page before it and one behind it that may not be touched.
class GuardedPages {
 public:
    static constexpr std::size_t size = 1 << 18;

    GuardedPages() {
        void* memory = mmap(nullptr, size + 2 * page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        begin_ = static_cast<char*>(memory) + page();
        if (mprotect(begin_, size, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    }
    ~GuardedPages() { munmap(begin_ - page(), size + 2 * page()); }
    GuardedPages(const GuardedPages&) = delete;
    GuardedPages& operator=(const GuardedPages&) = delete;

    char* begin() const { return begin_; }
    char* end() const { return begin_ + size; }

 private:
    static std::size_t page() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

    char* begin_;
};

// Where arrays lie: so many bytes behind the first of the guards, or before the second.
struct Placing {
    bool at_end;
    pynet::Index shift;
};

// Gives out arrays for a call, each in guarded pages of its own. What is around them is marked.
class Guard {
 public:
    void begin(Placing placing) {
        placing_ = placing;
        arrays_.clear();
    }

    template <class T>
    T* array(pynet::Index count, T value = T(0.5)) {
        if (arrays_.size() == pages_.size()) pages_.push_back(std::make_unique<GuardedPages>());
        const GuardedPages& pages = *pages_[arrays_.size()];
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
        const std::size_t shift = static_cast<std::size_t>(placing_.shift) / sizeof(T) * sizeof(T);
        if (bytes + shift > GuardedPages::size) throw std::bad_alloc();
        Array a{placing_.at_end ? pages.end() - bytes - shift : pages.begin() + shift, bytes, nullptr, nullptr};
        a.first = std::max(a.begin - around, pages.begin());
        a.last = std::min(a.begin + bytes + around, pages.end());
        std::memset(a.first, mark, static_cast<std::size_t>(a.last - a.first));
        arrays_.push_back(a);
        T* numbers = reinterpret_cast<T*>(a.begin);
        for (pynet::Index i = 0; i < count; ++i) numbers[i] = i % 3 == 1 ? T(value / 2) : value;
        return numbers;
    }

    // Whether nobody has written around the arrays of the last call.
    bool is_untouched() const {
        const auto marked = [](char c) { return c == mark; };
        return std::all_of(arrays_.begin(), arrays_.end(), [&](const Array& a) {
            return std::all_of(a.first, a.begin, marked) && std::all_of(a.begin + a.bytes, a.last, marked);
        });
    }

 private:
    static constexpr char mark = 0x5A;
    static constexpr int around = 128;

    struct Array {
        char* begin;
        std::size_t bytes;
        char *first, *last;
    };

    Placing placing_{true, 0};
    std::vector<std::unique_ptr<GuardedPages>> pages_;
    std::vector<Array> arrays_;
};
