// A backend whose memory is the host's; what runs ops is left to who derives from it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/backend.h"

namespace irplan {

class HostBackend : public Backend {
 public:
  // `most_bytes` are all that the machine has: an allocation above it would only fail when it is touched.
  explicit HostBackend(size_t most_bytes = SIZE_MAX) : most_bytes_(most_bytes) {}
  Failure allocate(size_t bytes, size_t alignment, std::byte** out) override;
  void release(std::byte* pointer) override;
  Failure upload(std::byte* device, const std::byte* host, size_t bytes) override;
  Failure download(std::byte* host, const std::byte* device, size_t bytes) override;
  Failure fill(std::byte* device, uint8_t value, size_t bytes) override;

 private:
  size_t most_bytes_;
};

}  // namespace irplan
