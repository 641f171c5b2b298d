// What the CUDA kernels of a plan's kernel take of a multiprocessor, as ptxas said when they were compiled.
#pragma once

#include <string>

#include "kernels/kernel.h"

namespace irplan::cuda {

// "product_few 40, product_tiles 78 registers": of the functions that a kernel of core/src/kernels launches,
// the most that they take on a device of this build, with bytes of spills where there are any.
std::string registers_of(const KernelRow& row);

}  // namespace irplan::cuda
