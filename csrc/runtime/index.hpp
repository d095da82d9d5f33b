// The type of every size and position: 64 bits, signed.
#pragma once

#include <cstdint>

namespace pynet {

using Index = std::int64_t;

}  // namespace pynet
