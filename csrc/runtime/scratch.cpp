#include "runtime/scratch.hpp"

#include <cstdlib>
#include <memory>
#include <new>

namespace pynet {

void* scratch(std::size_t bytes) {
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };
    static thread_local std::unique_ptr<void, Free> memory;
    static thread_local std::size_t size = 0;
    if (bytes > size) {
        size = 0;
        memory.reset();
        memory.reset(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
        if (!memory) throw std::bad_alloc();
        size = bytes;
    }
    return memory.get();
}

}  // namespace pynet
