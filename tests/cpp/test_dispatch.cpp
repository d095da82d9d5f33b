// Instruction sets: their names, what this machine has, and what PYNET_ISA makes of it.
#include <cstdlib>
#include <stdexcept>

#include "child_process.hpp"
#include "kernels_to_test.hpp"

namespace {

using pynet::Isa;

// What active_isa() is in a process of its own with that PYNET_ISA, as a number; 99 when it throws.
int active(const char* wanted) {
    return in_child([=] {
        wanted ? setenv("PYNET_ISA", wanted, 1) : unsetenv("PYNET_ISA");
        return int(pynet::active_isa());
    });
}

}  // namespace

TEST_CASE("instruction sets have names") {
    CHECK_EQUAL(std::string(pynet::name(Isa::baseline)), "baseline");
    CHECK_EQUAL(std::string(pynet::name(Isa::v3)), "v3");
    CHECK_EQUAL(std::string(pynet::name(Isa::v4)), "v4");
}

TEST_CASE("every machine has the baseline, and one with v4 has v3") {
    CHECK(pynet::supported(Isa::baseline));
    CHECK(pynet::supported(Isa::v3) || !pynet::supported(Isa::v4));
}

TEST_CASE("the best instruction set is taken, or the one asked for") {
    const Isa best = pynet::supported(Isa::v4) ? Isa::v4 : pynet::supported(Isa::v3) ? Isa::v3 : Isa::baseline;
    CHECK_EQUAL(active(nullptr), int(best));
    CHECK_EQUAL(active(""), int(best));
    for (const Isa isa : pynet::all_isas) CHECK_EQUAL(active(pynet::name(isa)), pynet::supported(isa) ? int(isa) : 99);
    for (const char* wrong : {"v2", "V3", "avx2", "baseline "}) CHECK_EQUAL(active(wrong), 99);
}

TEST_CASE("every instruction set has kernels of its own, and the active one is used") {
    CHECK(&pynet::kernels<float>(Isa::baseline) != &pynet::kernels<float>(Isa::v3));
    CHECK(&pynet::kernels<double>(Isa::v3) != &pynet::kernels<double>(Isa::v4));
    CHECK_EQUAL(
        in_child([] { return &pynet::kernels<float>() == &pynet::kernels<float>(pynet::active_isa()) ? 0 : 1; }), 0);
    CHECK_EQUAL(in_child([] {
                    setenv("PYNET_ISA", "baseline", 1);
                    return &pynet::kernels<double>() == &pynet::kernels<double>(Isa::baseline) ? 0 : 1;
                }),
                0);
}
