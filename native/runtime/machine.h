// What this machine has.
#pragma once

#include <cstddef>

namespace irplan {

// Bytes of memory, in use or not; SIZE_MAX where the system does not say.
size_t machine_bytes();

}  // namespace irplan
