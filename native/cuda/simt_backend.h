// The CUDA kernels as a backend of the CPU, for tests: whole plans run through them without a GPU (see
// simt.h).
#pragma once

#include <memory>

#include "runtime/backend.h"

namespace irplan {

std::unique_ptr<Backend> make_simt_backend();

// The shim's order of threads and blocks from here on; it starts at IRPLAN_SIMT_SEED, or 1.
void reseed_simt(uint32_t seed);

// How many blocks a grid may have in y, and in z: 65535, as on a device, or fewer.
void limit_simt_grids(int64_t most);

}  // namespace irplan
