// The rows of each target, made in its file; table.cpp puts them in order.
#pragma once

#include <vector>

#include "kernels/kernel.h"

namespace irplan {

std::vector<KernelRow> cpu_kernel_rows();
std::vector<KernelRow> cuda_kernel_rows();

}  // namespace irplan
