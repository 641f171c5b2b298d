// A CUDA device as a backend.
#pragma once

#include <memory>
#include <string>

#include "irplan/result.h"
#include "runtime/backend.h"

namespace irplan {

// Fails with what to do: no device, no driver, or a build without CUDA.
Result<std::unique_ptr<Backend>> make_cuda_backend(int device);

// Whether this build has its kernels.
bool cuda_built();

// What its kernels take on a device, "norm_dense 56 registers" of a thread; empty in a build without.
std::string cuda_registers(const KernelRow& row);

// Whether the host has a device and a driver for it, whether or not this build can use them.
bool cuda_device_there();

}  // namespace irplan
