// What a plan predicts is what is allocated, byte for byte, at random sizes of every example; and nothing is
// allocated once a run has begun. Memory is counted, not taken, so that models of any size can be asked.
#include <algorithm>
#include <filesystem>
#include <random>

#include "catch.h"
#include "irplan/compile.h"
#include "irplan/new_program.h"
#include "native/source_file.h"
#include "runtime/host_backend.h"
#include "runtime/memory.h"
#include "runtime/session.h"

namespace irplan {
namespace {

constexpr int kBindings = 1000;  // of each example
constexpr int kTries = 400000;   // to find as many that the ranges and guards admit

// Addresses that nobody follows.
class CountingBackend : public HostBackend {
 public:
  std::vector<size_t> sizes;

  const char* name() const override { return "counting"; }
  std::string device() const override { return "no memory"; }
  std::string_view target() const override { return ""; }
  std::vector<std::string> kernels() const override { return {}; }
  bool has(const KernelRow&) const override { return false; }
  Failure allocate(size_t bytes, size_t alignment, std::byte** out) override {
    sizes.push_back(bytes);
    next_ = (next_ + alignment - 1) / alignment * alignment;
    *out = reinterpret_cast<std::byte*>(next_);
    next_ += bytes;
    return std::nullopt;
  }
  void release(std::byte*) override {}
  Failure fill(std::byte*, uint8_t, size_t) override { return std::nullopt; }
  Result<std::unique_ptr<Program>> prepare(const Plan&, OpRange, const BufferPlaces&, const RunSegments&,
                                           const StepBinding&) override {
    return Error{"nothing runs here"};
  }

 private:
  uintptr_t next_ = 1 << 20;
};

// Sizes near both ends of the ranges as often as between them.
StepBinding random_sizes(const Plan& plan, const Plan::Phase& phase, std::mt19937_64& random) {
  StepBinding out;
  out.rows.resize(plan.dims.size());
  for (const Plan::Dim& dim : plan.dims) {
    int64_t low = dim.min, high = dim.max.value_or(dim.min + 4096);
    for (const Plan::PhaseDim& own : phase.dims) {
      if (own.name == dim.name) low = own.min, high = own.max.value_or(high);
    }
    const int64_t range = high - low, part = range >> (random() % 16);
    const int64_t n = static_cast<int64_t>(random() % static_cast<uint64_t>(part + 1));
    out.dims.push_back(random() % 4 == 0 ? high - n : low + n);
  }
  return out;
}

void check_binding(const Plan& plan, const std::string& phase, const Binding& sizes) {
  const auto predicted = predicted_bytes(plan, phase, sizes);
  REQUIRE(predicted);
  CountingBackend backend;
  RunMemory memory(plan, backend);
  REQUIRE(!memory.allocate(sizes, *predicted));
  memory.free_loading();
  const size_t after = backend.sizes.size();
  BufferPlaces layout;
  REQUIRE(!memory.lay_out(phase, sizes, 0, &layout));
  CHECK(backend.sizes.size() == after);  // nothing more for a step
  CHECK(memory.allocated() == *predicted);
  // Each segment is one allocation of so many bytes; an empty one has an address as well.
  std::vector<size_t> wanted;
  for (const int64_t bytes : {predicted->weights, predicted->state, predicted->inputs, predicted->arena})
    wanted.push_back(static_cast<size_t>(std::max<int64_t>(bytes, 256)));
  for (const size_t bytes : wanted)
    CHECK(std::find(backend.sizes.begin(), backend.sizes.end(), bytes) != backend.sizes.end());
}

TEST_CASE("predicted bytes are allocated, at random sizes of every example") {
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(IRPLAN_SOURCE_DIR) / "examples/configs")) {
    const std::string config = test::file_text("examples/configs/" + entry.path().filename().string());
    const auto program = new_program(config);
    REQUIRE(program);
    CompileOptions options;
    options.config = config;
    options.target = "cpu";
    options.advise = false;
    const Compilation made = compile(SourceText(program->example + ".irplan", program->text), options);
    REQUIRE(made.ok);
    const auto plan = read_plan(made.plan_json);
    REQUIRE(plan);
    std::mt19937_64 random(7);
    int found = 0;
    for (int i = 0; i < kTries && found < kBindings; ++i) {
      const Plan::Phase& phase = plan->phases[random() % plan->phases.size()];
      const StepBinding sizes = random_sizes(*plan, phase, random);
      if (check_ranges(*plan, phase.name, sizes)) continue;
      ++found;
      check_binding(*plan, phase.name, sizes.dims);
    }
    INFO(entry.path());
    CHECK(found == kBindings);
  }
}

}  // namespace
}  // namespace irplan
