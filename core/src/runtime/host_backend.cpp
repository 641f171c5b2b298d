#include "runtime/host_backend.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace irplan {
Failure HostBackend::allocate(size_t bytes, size_t alignment, std::byte** out) {
  const size_t step = std::max<size_t>(alignment, 64);
  const bool possible = bytes <= most_bytes_ && bytes <= SIZE_MAX - step;
  *out = possible ? static_cast<std::byte*>(std::aligned_alloc(step, (bytes + step - 1) / step * step))
                  : nullptr;
  if (*out) return std::nullopt;
  return "cannot allocate " + std::to_string(bytes) + " bytes on this machine";
}

void HostBackend::release(std::byte* pointer) { std::free(pointer); }

Failure HostBackend::upload(std::byte* device, const std::byte* host, size_t bytes) {
  if (bytes > 0) std::memcpy(device, host, bytes);
  return std::nullopt;
}

Failure HostBackend::download(std::byte* host, const std::byte* device, size_t bytes) {
  if (bytes > 0) std::memcpy(host, device, bytes);
  return std::nullopt;
}

Failure HostBackend::fill(std::byte* device, uint8_t value, size_t bytes) {
  if (bytes > 0) std::memset(device, value, bytes);
  return std::nullopt;
}

}  // namespace irplan
