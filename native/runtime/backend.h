// What executes ops: the reference, the CPU kernels, or CUDA. One interface, so that a runner neither knows
// nor cares which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/kernel.h"
#include "plan/plan.h"
#include "reference/executor.h"

namespace irplan {

// A failed call's reason, or none. Reasons name what and where, and what to do where something can be done.
using Failure = std::optional<std::string>;

class Backend {
 public:
  virtual ~Backend() = default;

  virtual const char* name() const = 0;    // "reference", "cpu", "cuda"
  virtual std::string device() const = 0;  // "NVIDIA H200 (sm_90), 139 GiB", "2 threads, AVX2"
  // Whose kernels it has, as plans name targets: "cpu", "cuda". Empty: it runs operators by their rows,
  // whatever kernel a plan names.
  virtual std::string_view target() const = 0;
  virtual bool has(const KernelRow& kernel) const = 0;

  // Memory of the device. Every pointer that `allocate` gave is freed with `release`.
  virtual Failure allocate(size_t bytes, size_t alignment, std::byte** out) = 0;
  virtual void release(std::byte* pointer) = 0;
  virtual Failure upload(std::byte* device, const std::byte* host, size_t bytes) = 0;
  virtual Failure download(std::byte* host, const std::byte* device, size_t bytes) = 0;
  virtual Failure fill(std::byte* device, uint8_t value, size_t bytes) = 0;

  // Runs ops [begin, end) of the plan in order; all pointers of `memory` are of this device. Returns when
  // they are enqueued; `finish` waits and reports what went wrong since the last call.
  virtual Failure run(const Plan& plan, uint32_t begin, uint32_t end, const PlanMemory& memory,
                      const StepBinding& step) = 0;
  virtual Failure finish() = 0;
};

// A backend by name ("reference", "cpu", "cuda", "auto"), or none with the reason why it cannot be had here
// and what to do.
std::unique_ptr<Backend> make_backend(std::string_view name, std::string* why);

// ---- each backend's own maker; a build without CUDA links a `make_cuda_backend` that says so
std::unique_ptr<Backend> make_reference_backend();
std::unique_ptr<Backend> make_cpu_backend();
std::unique_ptr<Backend> make_cuda_backend(int device, std::string* why);

}  // namespace irplan
