// Which kernels the library holds, and the launch of a prepared call.
#pragma once

#include "cuda/kernels/kernels.h"
#include "runtime/schedule.h"

namespace irplan::IRPLAN_GPU {

// Whether the library holds the kernel of a row of core/src/kernels.
bool has_kernel(const KernelRow& row);
std::vector<std::string> kernels();  // names of all

// Enqueues the kernel of a resolved call; gives the device's error code.
int launch(Stream stream, const Call& call);

}  // namespace irplan::IRPLAN_GPU
