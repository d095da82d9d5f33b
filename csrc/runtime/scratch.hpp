// Memory for the time of one call.
#pragma once

#include <cstddef>

namespace pynet {

// At least so many bytes from a cache line on: this thread's, until it asks again. Kept for the next time, since fresh
// memory costs a page fault every 4 KB. Throws std::bad_alloc.
void* scratch(std::size_t bytes);

}  // namespace pynet
