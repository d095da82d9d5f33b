// The kernels in double: compiled once per instruction set, with its instructions and in its namespace.
#include "table.hpp"

namespace pynet::PYNET_ISA {

const Kernels<double> double_kernels = table<double>;

}  // namespace pynet::PYNET_ISA
