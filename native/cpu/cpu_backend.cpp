// The host's processor as a backend: kernels for the ops that take the time, the reference for the others.
#include "cpu/call.h"
#include "cpu/simd.h"
#include "runtime/host_backend.h"
#include "runtime/threads.h"

namespace irplan {
namespace {

struct Kernel {
  std::string_view op;
  int version;
  bool (*run)(cpu::Call&);
};
constexpr Kernel kKernels[] = {
    {"embed", 1, cpu::embed},   {"linear", 1, cpu::linear},       {"linear", 2, cpu::linear_packed},
    {"matmul", 1, cpu::matmul}, {"attention", 1, cpu::attention}, {"expert", 1, cpu::expert},
    {"pack", 1, cpu::pack},
};

// Null where the row's kernel is the reference's loop.
const Kernel* own_kernel(const KernelRow& row) {
  for (const Kernel& kernel : kKernels) {
    if (kernel.op == row.op && kernel.version == row.version) return &kernel;
  }
  return nullptr;
}

constexpr std::string_view kTarget = "cpu";

class CpuBackend : public HostBackend {
 public:
  const char* name() const override { return "cpu"; }
  std::string device() const override {
    const int threads = thread_count();
    return std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ") + cpu::simd().name;
  }
  std::string_view target() const override { return kTarget; }
  bool has(const KernelRow& row) const override {
    return row.target == kTarget && (own_kernel(row) || row.version == 1);
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
    const KernelRow* row = kernel_of(plan, op, kTarget);
    const Kernel* kernel = row ? own_kernel(*row) : nullptr;
    cpu::Call call(plan, op, memory, step);
    if (kernel && kernel->run(call)) return call.failure;
    return run_op(plan, index, memory, step);
  }
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace irplan
