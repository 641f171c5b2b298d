// The CUDA backend, as it stands in native/cuda/backend.cpp, on a device that is not there: its memory is the
// host's, its copies are done at once, its launches are counted and compute nothing. What a step costs the
// host, and what the backend asks of the runtime and when, is the same as on a device.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "irplan/result.h"
#include "runtime/backend.h"

namespace irplan::fake {

struct Device {
  int count = 1;  // devices that are found; 0: none
  bool driver = true;
  size_t free_bytes = size_t{1} << 40;
  int64_t launch_that_fails = -1;  // counted from now on; told by the next wait, as a kernel's error is
  // What was asked.
  int64_t allocations = 0, pinned = 0, launches = 0, waits = 0;
  std::string wrong;  // the first use that CUDA does not promise to do well
};
Device& device();

}  // namespace irplan::fake

namespace irplan {
Result<std::unique_ptr<Backend>> make_fake_cuda_backend(int device);
}
