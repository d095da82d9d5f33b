// The kernels in float: compiled once per instruction set, with its instructions and in its namespace.
#include "table.hpp"

namespace pynet::PYNET_ISA {

const Kernels<float> float_kernels = table<float>;

}  // namespace pynet::PYNET_ISA
