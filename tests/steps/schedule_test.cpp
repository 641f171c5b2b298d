// Schedules: records as data, what keeps them from serving every position, and steps that make nothing anew.
#include <atomic>
#include <cstdlib>
#include <new>

#include "cuda/simt_backend.h"
#include "fake_cuda/fake_cuda.h"
#include "native/plan_run.h"
#include "runtime/parallel.h"

using namespace irplan;
using namespace irplan::test;

namespace {

std::atomic<bool> counting{false};
std::atomic<int64_t> allocations{0};

void* taken(std::size_t bytes, std::size_t alignment = 0) {
  if (counting) ++allocations;
  bytes = bytes ? bytes : 1;
  void* memory = alignment ? std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                           : std::malloc(bytes);
  if (!memory) std::abort();
  return memory;
}

// Counts what is allocated on the device as well.
class CountingBackend final : public Backend {
 public:
  explicit CountingBackend(std::unique_ptr<Backend> inner) : inner_(std::move(inner)) {}
  const char* name() const override { return inner_->name(); }
  std::string device() const override { return inner_->device(); }
  std::string_view target() const override { return inner_->target(); }
  std::vector<std::string> kernels() const override { return inner_->kernels(); }
  bool has(const KernelRow& row) const override { return inner_->has(row); }
  Failure allocate(size_t bytes, size_t alignment, std::byte** out) override {
    ++calls;
    return inner_->allocate(bytes, alignment, out);
  }
  std::optional<size_t> free_bytes() const override { return inner_->free_bytes(); }
  void release(std::byte* pointer) override { inner_->release(pointer); }
  Failure upload(std::byte* device, const std::byte* host, size_t bytes) override {
    return inner_->upload(device, host, bytes);
  }
  Failure download(std::byte* host, const std::byte* device, size_t bytes) override {
    return inner_->download(host, device, bytes);
  }
  Failure fill(std::byte* device, uint8_t value, size_t bytes) override {
    return inner_->fill(device, value, bytes);
  }
  Result<std::unique_ptr<Program>> prepare(const Plan& plan, OpRange ops, const BufferPlaces& layout,
                                           const RunSegments& segments, const StepBinding& sizes) override {
    ++programs;
    return inner_->prepare(plan, ops, layout, segments, sizes);
  }
  int64_t calls = 0, programs = 0;

 private:
  std::unique_ptr<Backend> inner_;
};

std::unique_ptr<Plan> llama(const std::string& target) {
  return plan_of(compiled(file_text("examples/models/llama.irplan"), target, llama_config(false)));
}

Schedule schedule_at(const Plan& plan, const std::string& phase, int64_t position, int64_t steps) {
  const Step step = step_of(plan, phase, {{"B", 2}, {"S", steps}, {"P", position}});
  const Plan::Phase* found = find_phase(plan, phase);
  const auto arena = bind_arena(plan, phase, step.sizes.dims);
  REQUIRE(arena);
  BufferPlaces layout(plan.buffers.size());
  for (size_t i = 0; i < layout.size(); ++i) {
    const Plan::Buffer& b = plan.buffers[i];
    const int64_t bytes = evaluate(b.bytes, step.sizes.dims).value_or(0);
    if (b.segment == Plan::Segment::Arena && b.phase == phase)
      layout[i] = {MemorySegment::Arena, arena->offsets[i], bytes};
    else if (b.segment != Plan::Segment::Arena)
      layout[i] = {MemorySegment::Weights, static_cast<int64_t>(i) << 20, bytes};
  }
  Schedule out;
  const auto failure =
      prepare_schedule(plan, found->ops_begin, found->ops_end, plan.target, layout, step.sizes, out);
  INFO(failure.value_or(""));
  REQUIRE_FALSE(failure);
  return out;
}

}  // namespace

void* operator new(std::size_t bytes) { return taken(bytes); }
void* operator new[](std::size_t bytes) { return taken(bytes); }
void* operator new(std::size_t bytes, std::align_val_t a) {
  return taken(bytes, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t bytes, std::align_val_t a) {
  return taken(bytes, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

TEST_CASE("schedules: a decode step has one for every position") {
  for (const char* target : {"cpu", "cuda"}) {
    const auto plan = llama(target);
    const Schedule low = schedule_at(*plan, "decode", 0, 1), high = schedule_at(*plan, "decode", 1000, 1);
    INFO(text(*plan, low));
    CHECK(low.capturable());
    CHECK(high.capturable());
    REQUIRE(low.records.size() == high.records.size());
    for (size_t i = 0; i < low.records.size(); ++i) CHECK(difference(low.records[i], high.records[i]) == "");
    CHECK(low.control_count == high.control_count);
    CHECK(low.serves(high.sizes));
    CHECK_FALSE(low.serves(schedule_at(*plan, "prefill", 0, 4).sizes));
  }
}

TEST_CASE("schedules: control numbers have their places by what they mean, not by their value") {
  const auto plan = llama("cuda");
  const Schedule schedule = schedule_at(*plan, "decode", 5, 1);
  std::vector<int32_t> at_five(static_cast<size_t>(schedule.control_count)), at_six = at_five;
  Binding row;
  const Step five = step_of(*plan, "decode", {{"B", 2}, {"S", 1}, {"P", 5}});
  Step six = step_of(*plan, "decode", {{"B", 2}, {"S", 1}, {"P", 6}});
  six.sizes.rows[*plan->pool->find("P")] = {6, 1};  // sequences of their own lengths
  REQUIRE_FALSE(write_control(*plan, schedule, five.sizes, row, at_five.data()));
  REQUIRE_FALSE(write_control(*plan, schedule, six.sizes, row, at_six.data()));
  bool positions = false, keys = false;
  for (const ControlSlot& slot : schedule.slots) {
    const auto at = static_cast<size_t>(slot.place);
    REQUIRE(slot.sequences == 2);
    if (slot.role == ControlSlot::Role::Value && slot.a.text() == "P") {
      positions = true;
      CHECK(at_five[at] == 5);
      CHECK(at_six[at] == 6);
      CHECK(at_six[at + 1] == 1);
    }
    if (slot.role == ControlSlot::Role::Rows && slot.a.text() == "P + 1") {
      keys = true;
      CHECK(at_five[at + 1] == 6);
      CHECK(at_six[at] == 7);
      CHECK(at_six[at + 1] == 2);
    }
  }
  CHECK(positions);
  CHECK(keys);
  // A position that the state does not hold is refused, with the words of the reference.
  Step far = step_of(*plan, "decode", {{"B", 2}, {"S", 1}, {"P", 1024}});
  const auto failure = write_control(*plan, schedule, far.sizes, row, at_five.data());
  REQUIRE(failure);
  CHECK(failure->find("row 1024 of sequence 0 is outside of the 1024 rows of") != std::string::npos);
}

TEST_CASE("schedules: what keeps a phase from being captured is told by op") {
  const auto plan =
      plan_of(compiled("dim B in 1..4\ndim P in 0..15\ninput x: f32[B, 1, 8]\n"
                       "k = append(state f32[B, 16, 8] from \"k\", x, at=P)\nout = output(silu(k))\n",
                       "cpu"));
  const Schedule schedule = schedule_at(*plan, "main", 3, 1);
  REQUIRE_FALSE(schedule.capturable());
  bool told = false;
  for (const Obstacle& o : schedule.obstacles)
    told = told || (o.where == "ops out" && o.what == "the extent P + 1");
  INFO(text(*plan, schedule));
  CHECK(told);
  CHECK(text(*plan, schedule).find("not capturable:") != std::string::npos);
  // It runs all the same, prepared for each position.
  std::vector<Step> steps;
  std::vector<HostArray> inputs;
  for (int64_t p = 0; p < 3; ++p) {
    steps.push_back(step_of(*plan, "main", {{"B", 2}, {"P", p}}));
    inputs.push_back(floats({2, 1, 8}));
  }
  std::swap(steps[0], steps[2]);  // the widest gives states their size; then positions are run in any order
  std::swap(steps[0], steps[2]);
  const auto want = test::run(*plan, *make_reference_backend(), steps, inputs, "out");
  CHECK(largest_difference(want, test::run(*plan, *make_cpu_backend(), steps, inputs, "out")) < 1e-6f);
}

TEST_CASE("schedules: an operand beyond its buffer is found when records are made") {
  auto plan = llama("cpu");
  const Plan::Phase* decode = find_phase(*plan, "decode");
  for (uint32_t i = decode->ops_begin; i < decode->ops_end; ++i) {
    Plan changed = *plan;
    Plan::Value& v = changed.values[changed.ops[i].out[0]];
    if (v.offset || v.strides || changed.ops[i].row->updates_state) continue;
    v.offset = plan->pool->constant(int64_t{1} << 20);
    const Step step = step_of(changed, "decode", {{"B", 2}, {"S", 1}, {"P", 4}});
    BufferPlaces layout(changed.buffers.size());
    for (size_t b = 0; b < layout.size(); ++b)
      layout[b] = {MemorySegment::Arena, static_cast<int64_t>(b) << 24,
                   evaluate(changed.buffers[b].bytes, step.sizes.dims).value_or(0)};
    Schedule out;
    const auto failure = prepare_schedule(changed, i, i + 1, "cpu", layout, step.sizes, out);
    REQUIRE(failure);
    CHECK(failure->find("reaches beyond the ") != std::string::npos);
  }
}

TEST_CASE("schedules: after its first step a program allocates nothing and is not made again") {
  // By one thread: another makes the room in which it works when it first takes part, whichever step that is.
  lend_threads({});
  const std::string cpu = "the CPU", simt = "the CUDA kernels", cuda = "the CUDA backend";
  for (const std::string& which : {cpu, simt, cuda}) {
    INFO(which);
    const auto plan = llama(which == cpu ? "cpu" : "cuda");
    CountingBackend backend(which == cpu    ? make_cpu_backend()
                            : which == simt ? make_simt_backend()
                                            : *make_fake_cuda_backend(0));
    const Text text(*plan, 5, 12);
    Session session(*plan, backend);
    WeightSource weights;
    weights.seed = 3;
    REQUIRE_FALSE(session.prepare(text.steps, weights));
    uint32_t tokens = *find_input(*plan, "tokens");
    const int64_t held = backend.calls;
    int64_t made = 0;
    for (size_t i = 0; i < text.steps.size(); ++i) {
      const bool warm = i >= 3;
      if (warm && made == 0) made = backend.programs;
      allocations = 0;
      counting = warm && which != simt;  // the shim itself makes fibers
      Failure failure = session.bind(text.steps[i]);
      if (!failure) failure = session.set_input(tokens, text.tokens[i]);
      if (!failure) failure = session.run();
      counting = false;
      CHECK_FALSE(failure);
      if (warm) CHECK(allocations == 0);
    }
    CHECK(backend.programs == made);
    CHECK(backend.calls == held);
  }
}

TEST_CASE("schedules: one program serves every slot of the states") {
  for (const bool device : {false, true}) {
    INFO((device ? "the CUDA kernels" : "the CPU"));
    const auto plan = llama(device ? "cuda" : "cpu");
    std::vector<Step> steps{step_of(*plan, "prefill", {{"B", 3}, {"S", 4}, {"P", 0}})};
    std::vector<HostArray> tokens{ids({3, 4}, 5)};
    for (const int64_t slot : {2, 0, 1}) {
      steps.push_back(step_of(*plan, "prefill", {{"B", 1}, {"S", 4}, {"P", 0}}));
      steps.back().first_slot = slot;
      tokens.push_back(ids({1, 4}, slot));
    }
    for (const int64_t slot : {1, 2, 0, 2}) {
      steps.push_back(step_of(*plan, "decode", {{"B", 1}, {"S", 1}, {"P", 4}}));
      steps.back().first_slot = slot;
      tokens.push_back(ids({1, 1}, 9 + slot));
    }
    // Two that lie side by side, from the second slot on.
    steps.push_back(step_of(*plan, "decode", {{"B", 2}, {"S", 1}, {"P", 5}}));
    steps.back().first_slot = 1;
    tokens.push_back(ids({2, 1}, 4));
    const auto want = test::run(*plan, *make_reference_backend(), steps, tokens, "logits");
    CountingBackend backend(device ? make_simt_backend() : make_cpu_backend());
    CHECK(largest_difference(want, test::run(*plan, backend, steps, tokens, "logits")) < 1e-5f);
    // Prompts of three and of one, tokens of one and of two; and weights that are packed.
    const bool packs = !plan->ops.empty() && plan->ops[0].phase == "load";
    CHECK(backend.programs == 4 + (packs ? 1 : 0));
  }
}

TEST_CASE("schedules: a slot that the states do not have is refused") {
  const auto plan = llama("cpu");
  const auto backend = make_cpu_backend();
  std::vector<Step> steps{step_of(*plan, "prefill", {{"B", 2}, {"S", 4}, {"P", 0}})};
  Session session(*plan, *backend);
  REQUIRE_FALSE(session.prepare(steps, WeightSource()));
  steps[0].first_slot = 1;
  Failure failure = session.bind(steps[0]);
  if (!failure) failure = session.set_input(*find_input(*plan, "tokens"), ids({2, 4}, 1));
  if (!failure) failure = session.run();
  REQUIRE(failure);
  CHECK(failure->find("sequence 1") != std::string::npos);
}

TEST_CASE("schedules: an op that reads a state row by row fixes the slots, and is named") {
  const auto plan =
      plan_of(compiled("dim B in 1..4\ndim P in 0..15\ninput x: f32[B, 1, 8]\n"
                       "k = append(state f32[B, 16, 8] from \"k\", x, at=P)\nout = output(silu(k))\n",
                       "cpu"));
  const Schedule schedule = schedule_at(*plan, "main", 3, 1);
  CHECK_FALSE(schedule.fixed_slots.empty());
  CHECK(text(*plan, schedule).find("slots are fixed: ops " + schedule.fixed_slots) != std::string::npos);
  std::vector<Step> steps{step_of(*plan, "main", {{"B", 3}, {"P", 0}})};
  std::vector<HostArray> inputs{floats({3, 1, 8})};
  for (const int64_t slot : {2, 0, 1}) {
    steps.push_back(step_of(*plan, "main", {{"B", 1}, {"P", 1}}));
    steps.back().first_slot = slot;
    inputs.push_back(floats({1, 1, 8}));
  }
  const auto want = test::run(*plan, *make_reference_backend(), steps, inputs, "out");
  CHECK(largest_difference(want, test::run(*plan, *make_cpu_backend(), steps, inputs, "out")) < 1e-6f);
}
