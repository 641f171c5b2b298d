#include "cpu/cpu_backend.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <utility>

#include "cpu/kernels.h"
#include "cpu/simd.h"
#include "runtime/host_backend.h"
#include "runtime/parallel.h"

namespace irplan {
namespace {

constexpr std::string_view kTarget = "cpu";
[[maybe_unused]] constexpr size_t kLargePage = size_t{2} << 20;

template <class T, void (*run)(const T&)>
void with(const Call& call) {
  run(std::get<T>(call));
}

// One kind of call may have several kernels: versions of one operator. In the order of
// core/src/kernels/cpu.cpp.
struct Kernel {
  std::string_view op;
  int version;
  void (*run)(const Call&);
};
using cpu::binary, cpu::copy, cpu::norm, cpu::reduce, cpu::unary;
constexpr Kernel kKernels[] = {
    {"embed", 1, with<EmbedCall, cpu::embed>},
    {"embed", 2, with<EmbedCall, cpu::embed_packed>},
    {"embed", 3, with<EmbedCall, cpu::embed_packed>},
    {"positions", 1, with<PositionsCall, cpu::positions>},
    {"linear", 1, with<LinearCall, cpu::linear>},
    {"linear", 2, with<LinearCall, cpu::linear_packed>},
    {"linear", 3, with<LinearCall, cpu::linear_packed>},
    {"linear", 4, with<LinearCall, cpu::linear_whole>},
    {"dequant", 1, with<DequantCall, cpu::dequant>},
    {"matmul", 1, with<MatmulCall, cpu::matmul>},
    {"rmsnorm", 1, with<NormCall, norm>},
    {"layernorm", 1, with<NormCall, norm>},
    {"rope", 1, with<RopeCall, cpu::rope>},
    {"append", 1, with<AppendCall, cpu::append>},
    {"attention", 1, with<AttentionCall, cpu::attention>},
    {"route", 1, with<RouteCall, cpu::route>},
    {"expert", 1, with<ExpertCall, cpu::expert>},
    {"add", 1, with<BinaryCall, binary>},
    {"sub", 1, with<BinaryCall, binary>},
    {"mul", 1, with<BinaryCall, binary>},
    {"div", 1, with<BinaryCall, binary>},
    {"silu", 1, with<UnaryCall, unary>},
    {"gelu", 1, with<UnaryCall, unary>},
    {"gelu_tanh", 1, with<UnaryCall, unary>},
    {"sigmoid", 1, with<UnaryCall, unary>},
    {"relu", 1, with<UnaryCall, unary>},
    {"tanh", 1, with<UnaryCall, unary>},
    {"exp", 1, with<UnaryCall, unary>},
    {"sqrt", 1, with<UnaryCall, unary>},
    {"neg", 1, with<UnaryCall, unary>},
    {"softcap", 1, with<UnaryCall, unary>},
    {"clamp", 1, with<UnaryCall, unary>},
    {"cast", 1, with<UnaryCall, unary>},
    {"softmax", 1, with<SoftmaxCall, cpu::softmax>},
    {"sum", 1, with<ReduceCall, reduce>},
    {"max", 1, with<ReduceCall, reduce>},
    {"argmax", 1, with<ReduceCall, reduce>},
    {"topk", 1, with<TopkCall, cpu::topk>},
    {"view", 1, with<CopyCall, copy>},
    {"transpose", 1, with<CopyCall, copy>},
    {"slice", 1, with<CopyCall, copy>},
    {"split", 1, with<CopyCall, copy>},
    {"concat", 1, with<CopyCall, copy>},
    {"copy", 1, with<CopyCall, copy>},
    {"pack", 1, with<PackCall, cpu::pack>},
    {"swiglu", 1, with<GatedCall, cpu::gated>},
    {"geglu", 1, with<GatedCall, cpu::gated>},
    {"add_rmsnorm", 1, with<NormCall, norm>},
    {"add_layernorm", 1, with<NormCall, norm>},
};

const Kernel* kernel_of(const KernelRow& row) {
  for (const Kernel& kernel : kKernels) {
    if (kTarget == row.target && kernel.op == row.op && kernel.version == row.version) return &kernel;
  }
  return nullptr;
}

class CpuProgram final : public RecordProgram {
 public:
  explicit CpuProgram(const Plan& plan) : RecordProgram(plan) {}
  using RecordProgram::prepare;

 private:
  Failure allocate(const Schedule& schedule, Addresses& own) override {
    constants_ = schedule.constants;
    control_.assign(static_cast<size_t>(schedule.control_count), 0);
    for (const Record& record : schedule.records)
      runs_.push_back(std::holds_alternative<CopyCall>(record.call) ? with<CopyCall, copy>
                                                                    : kernel_of(*record.kernel)->run);
    own.segments[static_cast<int>(MemorySegment::Constants)] =
        reinterpret_cast<std::byte*>(constants_.data());
    own.control = control_.data();
    own.fault = &fault_;
    return std::nullopt;
  }
  Failure begin(const int32_t* control, size_t count) override {
    std::copy_n(control, count, control_.data());
    return std::nullopt;
  }
  Failure launch(size_t record, const Call& call) override {
    runs_[record](call);
    return std::nullopt;
  }
  Failure finish(DataFault& fault) override {
    fault = std::exchange(fault_, {});
    return std::nullopt;
  }

  std::vector<void (*)(const Call&)> runs_;  // by record
  std::vector<float> constants_;
  std::vector<int32_t> control_;
  DataFault fault_;
};

class CpuBackend : public HostBackend {
 public:
  using HostBackend::HostBackend;
  const char* name() const override { return "cpu"; }
  std::string device() const override {
    const int threads = thread_count();
    return std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ") + cpu::simd().title;
  }
  std::string_view target() const override { return kTarget; }
  // What is read at the speed of memory lies in large pages where the system has them: a fifth faster.
  Failure allocate(size_t bytes, size_t alignment, std::byte** out) override {
#ifdef __linux__
    if (bytes >= kLargePage) {
      auto failure = HostBackend::allocate(bytes, std::max(alignment, kLargePage), out);
      if (!failure) ::madvise(*out, bytes, MADV_HUGEPAGE);  // a wish: without it all works
      return failure;
    }
#endif
    return HostBackend::allocate(bytes, alignment, out);
  }
  std::vector<std::string> kernels() const override {
    std::vector<std::string> names;
    for (const Kernel& kernel : kKernels)
      names.push_back(std::string(kTarget) + "_" + std::string(kernel.op) + "_v" +
                      std::to_string(kernel.version));
    return names;
  }
  bool has(const KernelRow& row) const override { return kernel_of(row) != nullptr; }
  Result<std::unique_ptr<Program>> prepare(const Plan& plan, OpRange ops, const BufferPlaces& layout,
                                           const RunSegments& segments, const StepBinding& sizes) override {
    auto program = std::make_unique<CpuProgram>(plan);
    if (auto failure = program->prepare(ops, kTarget, layout, segments, sizes)) return Error{*failure};
    return std::unique_ptr<Program>(std::move(program));
  }
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(size_t most_bytes) {
  return std::make_unique<CpuBackend>(most_bytes);
}

}  // namespace irplan
