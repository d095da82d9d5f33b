#include "runtime/dispatch.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace pynet {
namespace {

Isa best() {
    Isa isa = Isa::baseline;
    for (const Isa candidate : all_isas) {
        if (supported(candidate)) isa = candidate;
    }
    return isa;
}

Isa choose() {
    const char* wanted = std::getenv("PYNET_ISA");
    if (wanted == nullptr || *wanted == '\0') return best();
    for (const Isa isa : all_isas) {
        if (name(isa) == std::string(wanted) && supported(isa)) return isa;
    }
    throw std::runtime_error("PYNET_ISA is '" + std::string(wanted) +
                             "', expected baseline, v3 or v4, up to what this CPU has: " + name(best()));
}

}  // namespace

const char* name(Isa isa) { return isa == Isa::v4 ? "v4" : isa == Isa::v3 ? "v3" : "baseline"; }

bool supported(Isa isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (isa == Isa::v4) return __builtin_cpu_supports("x86-64-v4");
    if (isa == Isa::v3) return __builtin_cpu_supports("x86-64-v3");
#endif
    return isa == Isa::baseline;
}

Isa active_isa() {
    static const Isa isa = choose();
    return isa;
}

}  // namespace pynet
