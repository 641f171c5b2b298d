// The reference as a backend: what every other is held against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/backend.h"

namespace irplan {

// `most_bytes`: those of the machine; a larger allocation is refused before it is tried.
std::unique_ptr<Backend> make_reference_backend(size_t most_bytes = SIZE_MAX);

}  // namespace irplan
