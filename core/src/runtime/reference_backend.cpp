#include "runtime/reference_backend.h"

#include "runtime/host_backend.h"
#include "runtime/memory.h"

namespace irplan {
namespace {

// The plan as it stands, without records: what records are compared with.
class ReferenceProgram final : public Program {
 public:
  ReferenceProgram(const Plan& plan, OpRange ops, PlanMemory memory, const StepBinding& sizes)
      : plan_(plan), ops_(ops), memory_(std::move(memory)), sizes_(sizes) {}
  const Schedule* schedule() const override { return nullptr; }
  bool serves(const StepBinding& step) const override {
    return step.dims == sizes_.dims && step.rows == sizes_.rows;
  }
  Failure submit(const StepBinding& step, OpRange only) override {
    for (uint32_t i = ops_.begin; i < ops_.end && i < plan_.ops.size(); ++i) {
      if (!only.contains(i)) continue;
      if (auto failure = run_op(plan_, i, memory_, step)) return failure;
    }
    return std::nullopt;
  }
  Failure submit_rows(const StepBinding&, uint32_t op, int64_t, int64_t) override {
    return "ops " + plan_.ops[op].id + ": the reference runs an op as a whole";
  }
  Failure wait() override { return std::nullopt; }

 private:
  const Plan& plan_;
  OpRange ops_;
  PlanMemory memory_;
  StepBinding sizes_;
};

class ReferenceBackend : public HostBackend {
 public:
  using HostBackend::HostBackend;
  const char* name() const override { return "reference"; }
  std::string device() const override { return "the reference executor, 1 thread"; }
  std::string_view target() const override { return ""; }
  std::vector<std::string> kernels() const override { return {}; }
  bool has(const KernelRow&) const override { return false; }
  Result<std::unique_ptr<Program>> prepare(const Plan& plan, OpRange ops, const BufferPlaces& layout,
                                           const RunSegments& segments, const StepBinding& sizes) override {
    return std::unique_ptr<Program>(
        std::make_unique<ReferenceProgram>(plan, ops, addresses(layout, segments), sizes));
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend(size_t most_bytes) {
  return std::make_unique<ReferenceBackend>(most_bytes);
}

}  // namespace irplan
