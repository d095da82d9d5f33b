// What every kernel header starts from: the index type, and the namespace of the instruction set it is compiled for.
#pragma once

#include "runtime/index.hpp"

// The build compiles the kernels once per instruction set, each time with another PYNET_ISA (baseline, v3, v4).
#ifndef PYNET_ISA
#define PYNET_ISA baseline
#endif
