// Finds the table of an instruction set.
#include "kernels.hpp"

namespace pynet {

namespace baseline {
extern const Kernels<float> float_kernels;
extern const Kernels<double> double_kernels;
}  // namespace baseline

namespace v3 {
extern const Kernels<float> float_kernels;
extern const Kernels<double> double_kernels;
}  // namespace v3
namespace v4 {
extern const Kernels<float> float_kernels;
extern const Kernels<double> double_kernels;
}  // namespace v4

template <>
const Kernels<float>& kernels<float>(Isa isa) {
    if (isa == Isa::v4) return v4::float_kernels;
    if (isa == Isa::v3) return v3::float_kernels;
    return baseline::float_kernels;
}

template <>
const Kernels<double>& kernels<double>(Isa isa) {
    if (isa == Isa::v4) return v4::double_kernels;
    if (isa == Isa::v3) return v3::double_kernels;
    return baseline::double_kernels;
}

}  // namespace pynet
