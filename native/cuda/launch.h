// Which kernels the library holds, and the launch of a prepared call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cuda/kernels/kernels.h"
#include "runtime/schedule.h"

namespace irplan::IRPLAN_GPU {

// Whether the library holds the kernel of a row of core/src/kernels.
bool has_kernel(const KernelRow& row);
std::vector<std::string> kernels();  // names of all
// The functions of kernels/*.cuh that it launches, "norm_dense norm_strided".
std::string_view functions_of(const KernelRow& row);

// Enqueues the kernel of a resolved call; gives the device's error code.
int launch(Stream stream, const Call& call);

}  // namespace irplan::IRPLAN_GPU
