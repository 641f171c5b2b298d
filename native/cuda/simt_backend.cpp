#include "cuda/simt_backend.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <unordered_map>
#include <utility>

#include "cuda/launch.h"
#include "cuda/simt.h"

namespace irplan {
namespace {

class SimtProgram final : public RecordProgram {
 public:
  explicit SimtProgram(const Plan& plan) : RecordProgram(plan) {}
  using RecordProgram::prepare;

 private:
  Failure allocate(const Schedule& schedule, Addresses& own) override {
    constants_ = schedule.constants;
    control_.assign(static_cast<size_t>(schedule.control_count), 0);
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
  Failure launch(size_t, const Call& call) override {
    if (simt::launch(nullptr, call) == 0) return std::nullopt;
    return shim::Machine::own().error();
  }
  Failure finish(DataFault& fault) override {
    fault = std::exchange(fault_, {});
    return std::nullopt;
  }

  std::vector<float> constants_;
  std::vector<int32_t> control_;
  DataFault fault_;
};

class SimtBackend final : public Backend {
 public:
  ~SimtBackend() override {
    while (!allocations_.empty()) release(allocations_.begin()->first);
  }
  const char* name() const override { return "simt"; }
  std::string device() const override { return "CUDA kernels on the CPU, one fiber a thread"; }
  std::string_view target() const override { return "cuda"; }
  std::vector<std::string> kernels() const override { return simt::kernels(); }
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
  std::optional<size_t> free_bytes() const override { return std::nullopt; }
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

  Result<std::unique_ptr<Program>> prepare(const Plan& plan, OpRange ops, const BufferPlaces& layout,
                                           const RunSegments& segments, const StepBinding& sizes) override {
    auto program = std::make_unique<SimtProgram>(plan);
    if (auto failure = program->prepare(ops, target(), layout, segments, sizes)) return Error{*failure};
    return std::unique_ptr<Program>(std::move(program));
  }

 private:
  static Failure move(std::byte* to, const std::byte* from, size_t bytes) {
    if (bytes) std::memcpy(to, from, bytes);
    return std::nullopt;
  }

  std::unordered_map<std::byte*, std::align_val_t> allocations_;
};

}  // namespace

std::unique_ptr<Backend> make_simt_backend() { return std::make_unique<SimtBackend>(); }

void limit_simt_grids(int64_t most) { shim::Machine::own().limit_grids(most); }

void reseed_simt(uint32_t seed) { shim::Machine::own().reseed(seed); }

}  // namespace irplan
