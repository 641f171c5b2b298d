// The host's processor as a backend. Its loops run on the threads that the program has lent
// (runtime/parallel.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/backend.h"

namespace irplan {

// `most_bytes`: those of the machine; a larger allocation is refused before it is tried.
std::unique_ptr<Backend> make_cpu_backend(size_t most_bytes = SIZE_MAX);

}  // namespace irplan
