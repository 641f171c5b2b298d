// The oracle as a backend: host memory, one op after another.
#include "runtime/host_backend.h"

namespace irplan {
namespace {

class ReferenceBackend : public HostBackend {
 public:
  const char* name() const override { return "reference"; }
  std::string device() const override { return "the reference executor, 1 thread"; }
  std::string_view target() const override { return ""; }
  bool has(const KernelRow&) const override { return false; }
  Failure run(const Plan& plan, uint32_t begin, uint32_t end, const PlanMemory& memory,
              const StepBinding& step) override {
    for (uint32_t i = begin; i < end; ++i) {
      if (auto failure = run_op(plan, i, memory, step)) return failure;
    }
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace irplan
