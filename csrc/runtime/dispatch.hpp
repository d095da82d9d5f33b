// Which instruction sets the kernels are compiled for, and which one this machine gets.
#pragma once

namespace pynet {

enum class Isa { baseline, v3, v4 };  // x86-64, x86-64-v3 (AVX2, FMA), x86-64-v4 (AVX-512)

constexpr Isa all_isas[] = {Isa::baseline, Isa::v3, Isa::v4};

const char* name(Isa isa);

// Whether this CPU can run it.
bool supported(Isa isa);

// The best one supported, or the one that $PYNET_ISA names; chosen once.
// Throws std::runtime_error when that names no instruction set, or one that this CPU lacks.
Isa active_isa();

}  // namespace pynet
