// The host's processor as a backend: kernels for the ops that take the time, the reference for the others.
#include "cpu/call.h"
#include "cpu/simd.h"
#include "runtime/host_backend.h"
#include "runtime/threads.h"

namespace irplan {
namespace {

struct Kernel {
  std::string_view op;
  bool (*run)(cpu::Call&);
};
constexpr Kernel kKernels[] = {
    {"linear", cpu::linear}, {"expert", cpu::expert},       {"matmul", cpu::matmul},
    {"embed", cpu::embed},   {"attention", cpu::attention},
};

class CpuBackend : public HostBackend {
 public:
  const char* name() const override { return "cpu"; }
  std::string device() const override {
    const int threads = thread_count();
    return std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ") + cpu::simd().name;
  }
  int kernel_version(std::string_view op) const override {
    const OpRow* row = find_op(op);
    return row && row->evaluate ? 1 : 0;
  }
  Failure run(const Plan& plan, uint32_t begin, uint32_t end, const PlanMemory& memory,
              const StepBinding& step) override {
    for (uint32_t i = begin; i < end; ++i) {
      if (auto failure = run_one(plan, i, memory, step)) return failure;
    }
    return std::nullopt;
  }

 private:
  static Failure run_one(const Plan& plan, uint32_t index, const PlanMemory& memory,
                         const StepBinding& step) {
    const Plan::Op& op = plan.ops[index];
    for (const Kernel& kernel : kKernels) {
      if (kernel.op != op.row->name) continue;
      cpu::Call call(plan, op, memory, step);
      if (kernel.run(call)) return call.failure;
    }
    return run_op(plan, index, memory, step);
  }
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace irplan
