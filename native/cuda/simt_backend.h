// The CUDA kernels as a backend of the CPU, for tests: whole plans run through them without a GPU (see
// simt.h).
#pragma once

#include <memory>

#include "runtime/backend.h"

namespace irplan {

std::unique_ptr<Backend> make_simt_backend();

// The shim's order of threads and blocks from here on; it starts at IRPLAN_SIMT_SEED, or 1.
void reseed_simt(uint32_t seed);

}  // namespace irplan
