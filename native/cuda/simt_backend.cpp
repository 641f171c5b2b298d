#include "cuda/simt_backend.h"

#include <cstring>
#include <new>
#include <unordered_map>

#include "cuda/launch.h"
#include "cuda/simt.h"

namespace irplan {
namespace {

class SimtBackend final : public Backend {
 public:
  ~SimtBackend() override {
    while (!allocations_.empty()) release(allocations_.begin()->first);
  }
  const char* name() const override { return "simt"; }
  std::string device() const override { return "CUDA kernels on the CPU, one fiber a thread"; }
  std::string_view target() const override { return "cuda"; }
  bool has(const KernelRow& row) const override { return simt::has_kernel(row); }

  Failure allocate(size_t bytes, size_t alignment, std::byte** out) override {
    const std::align_val_t align{alignment < 16 ? 16 : alignment};
    auto* memory = static_cast<std::byte*>(::operator new[](bytes ? bytes : 1, align, std::nothrow));
    if (!memory) return "cannot allocate " + std::to_string(bytes) + " bytes";
    std::memset(memory, 0xff, bytes);  // a NaN in every float format
    allocations_.emplace(memory, align);
    *out = memory;
    return std::nullopt;
  }
  void release(std::byte* pointer) override {
    const auto found = allocations_.find(pointer);
    if (found == allocations_.end()) return;
    ::operator delete[](pointer, found->second);
    allocations_.erase(found);
  }
  Failure upload(std::byte* device, const std::byte* host, size_t bytes) override {
    return move(device, host, bytes);
  }
  Failure download(std::byte* host, const std::byte* device, size_t bytes) override {
    return move(host, device, bytes);
  }
  Failure fill(std::byte* device, uint8_t value, size_t bytes) override {
    if (bytes) std::memset(device, value, bytes);
    return std::nullopt;
  }

  Failure run(const Plan& plan, uint32_t begin, uint32_t end, const PlanMemory& memory,
              const StepBinding& step) override {
    simt::PreparedStep prepared;
    if (auto failure = simt::prepare_step(plan, begin, end, memory, step, prepared)) return failure;
    names_.merge(prepared.names);
    for (const auto& launch : prepared.launches) {
      if (launch.run(nullptr, prepared.tables.data(), &fault_) == 0) continue;
      return "ops " + plan.ops[launch.op].id + ": " + shim::Machine::own().error();
    }
    return std::nullopt;
  }
  Failure finish() override {
    if (fault_.op == 0) return std::nullopt;
    const std::string why = simt::text(fault_, names_[fault_.op - 1]);
    fault_ = {};
    return why;
  }

 private:
  static Failure move(std::byte* to, const std::byte* from, size_t bytes) {
    if (bytes) std::memcpy(to, from, bytes);
    return std::nullopt;
  }

  std::unordered_map<std::byte*, std::align_val_t> allocations_;
  std::map<int32_t, simt::FaultNames> names_;
  simt::DataFault fault_;
};

}  // namespace

std::unique_ptr<Backend> make_simt_backend() { return std::make_unique<SimtBackend>(); }

void reseed_simt(uint32_t seed) { shim::Machine::own().reseed(seed); }

}  // namespace irplan
