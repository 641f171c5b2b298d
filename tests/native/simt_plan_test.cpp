// Whole plans through the CUDA kernels, in the memory that the planner laid out, against the reference:
// several steps in a row, sequences of their own lengths, caches that wrap.
#include <algorithm>
#include <map>
#include <random>

#include "irplan/compile.h"
#include "native/op_trial.h"
#include "native/source_file.h"

using namespace irplan;
using irplan::test::file_text;

namespace {

Plan plan_for(const std::string& program, const std::string& config) {
  CompileOptions options;
  if (!config.empty()) options.config = config;
  const Compilation done = compile(SourceText("test.irplan", program), options);
  INFO(render(done.diagnostics, done.source, false));
  REQUIRE(done.ok);
  auto plan = read_plan(done.plan_json);
  INFO(plan.message());
  REQUIRE(plan);
  return std::move(*plan);
}

// The same plan in two memories; arenas are new in every step, and poisoned.
class TwoMachines {
 public:
  TwoMachines(Plan p, uint32_t seed) : plan(std::move(p)), random(seed), device(test::device_under_test()) {}
  ~TwoMachines() { device.release(far_block); }

  // Weights, states and inputs of the widest step, filled with random numbers.
  void allocate(const StepBinding& widest) {
    const size_t count = plan.buffers.size();
    host.resize(count);
    near.buffers.assign(count, nullptr);
    far.buffers.assign(count, nullptr);
    layout.assign(count, {});
    int64_t total = 0;
    for (size_t i = 0; i < count; ++i) {
      if (plan.buffers[i].segment == Plan::Segment::Arena) continue;
      const int64_t bytes = evaluate(plan.buffers[i].bytes, widest.dims).value_or(0);
      host[i].assign(static_cast<size_t>(bytes) + 16, std::byte{0});
      near.buffers[i] = host[i].data();
      layout[i] = {MemorySegment::Weights, total, bytes + 16};
      total += (bytes + 16 + 255) / 256 * 256;
    }
    device.release(far_block);
    REQUIRE_FALSE(device.allocate(static_cast<size_t>(total), 256, &far_block));
    for (size_t i = 0; i < count; ++i) {
      if (!host[i].empty()) far.buffers[i] = far_block + layout[i].offset;
    }
    for (uint32_t id = 0; id < plan.values.size(); ++id) {
      if (plan.values[id].kind == Plan::Kind::Param)
        fill(id, widest, plan.values[id].shape.size() > 1 ? 0.1f : 1.0f, 0, 1);
    }
    sync();
    run("load", widest);
  }
  void fill(uint32_t id, const StepBinding& step, float scale, int64_t lo, int64_t hi) {
    HostArray array = read_value(plan, id, near, StepBinding{step.dims, {}});
    std::normal_distribution<float> normal(0, scale);
    for (float& x : array.f) x = normal(random);
    for (int64_t& x : array.i) x = std::uniform_int_distribution<int64_t>(lo, hi)(random);
    write_value(plan, id, array, near, StepBinding{step.dims, {}});
  }
  void sync() {
    for (size_t i = 0; i < host.size(); ++i) {
      if (!host[i].empty()) REQUIRE_FALSE(device.upload(far.buffers[i], host[i].data(), host[i].size()));
    }
  }

  void step(const std::string& phase, const StepBinding& sizes, int64_t vocabulary) {
    for (uint32_t id = 0; id < plan.values.size(); ++id) {
      if (plan.values[id].kind != Plan::Kind::Input) continue;
      fill(id, sizes, 1, 0, vocabulary - 1);
      const uint32_t b = plan.values[id].buffer;
      REQUIRE_FALSE(device.upload(far.buffers[b], host[b].data(), host[b].size()));
    }
    run(phase, sizes);
  }

  void run(const std::string& phase, const StepBinding& sizes) {
    const auto arena = bind_arena(plan, phase, sizes.dims);
    std::vector<std::byte> host_arena(static_cast<size_t>(arena ? arena->bytes : 0) + 256, std::byte{0xff});
    std::byte* far_arena = nullptr;
    REQUIRE_FALSE(device.allocate(host_arena.size(), 256, &far_arena));
    for (size_t i = 0; i < plan.buffers.size(); ++i) {
      if (plan.buffers[i].segment != Plan::Segment::Arena) continue;
      const bool here = arena && plan.buffers[i].phase == phase;
      near.buffers[i] = here ? host_arena.data() + arena->offsets[i] : nullptr;
      far.buffers[i] = here ? far_arena + arena->offsets[i] : nullptr;
      layout[i] = {};
      if (here)
        layout[i] = {MemorySegment::Arena, arena->offsets[i],
                     evaluate(plan.buffers[i].bytes, sizes.dims).value_or(0)};
    }
    RunSegments segments;
    segments.base[static_cast<int>(MemorySegment::Weights)] = far_block;
    segments.base[static_cast<int>(MemorySegment::Arena)] = far_arena;
    const Failure expected = run_phase(plan, phase, near, sizes);
    INFO(expected.value_or(""));
    REQUIRE_FALSE(expected);
    for (uint32_t i = 0; i < plan.ops.size(); ++i) {
      if (plan.ops[i].phase != phase) continue;
      uint32_t end = i;
      while (end < plan.ops.size() && plan.ops[end].phase == phase) ++end;
      const auto program = device.prepare(plan, {i, end}, layout, segments, sizes);
      INFO(program.message());
      REQUIRE(program);
      Failure failure = (*program)->submit(sizes);
      if (!failure) failure = (*program)->wait();
      INFO(failure.value_or(""));
      REQUIRE_FALSE(failure);
      i = end - 1;
    }
    for (const Plan::Output& output : plan.outputs) {
      if (phase == "load" || (!output.phase.empty() && output.phase != phase)) continue;
      check(output, sizes, far_arena, host_arena.size());
    }
    device.release(far_arena);
  }

  // The device's bytes, seen through the same window.
  void check(const Plan::Output& output, const StepBinding& sizes, std::byte* far_arena, size_t arena_bytes) {
    PlanMemory copy = near;
    std::vector<std::byte> bytes;
    const uint32_t buffer = plan.values[output.value].buffer;
    if (plan.buffers[buffer].segment == Plan::Segment::Arena) {
      bytes.resize(arena_bytes);
      REQUIRE_FALSE(device.download(bytes.data(), far_arena, bytes.size()));
      copy.buffers[buffer] = bytes.data() + (far.buffers[buffer] - far_arena);
    } else {
      bytes.resize(host[buffer].size());
      REQUIRE_FALSE(device.download(bytes.data(), far.buffers[buffer], bytes.size()));
      copy.buffers[buffer] = bytes.data();
    }
    const HostArray want = read_value(plan, output.value, near, sizes),
                    got = read_value(plan, output.value, copy, sizes);
    INFO("output " << output.name);
    CHECK(test::difference(want, got, {tolerance, tolerance}) == "");
    ++checked;
  }

  Plan plan;
  std::mt19937 random;
  Backend& device;
  std::vector<std::vector<std::byte>> host;  // by buffer
  PlanMemory near, far;
  BufferPlaces layout;  // on the device: all but the arena in one block
  std::byte* far_block = nullptr;
  float tolerance = 2e-5f;
  int checked = 0;
};

StepBinding sizes_of(const Plan& plan, const std::map<std::string, std::vector<int64_t>>& values) {
  StepBinding step;
  step.dims.assign(plan.dims.size(), 1);
  step.rows.assign(plan.dims.size(), {});
  for (size_t d = 0; d < plan.dims.size(); ++d) {
    const auto found = values.find(plan.dims[d].name);
    if (found == values.end()) continue;
    step.dims[d] = *std::max_element(found->second.begin(), found->second.end());
    if (!plan.dims[d].per.empty()) step.rows[d] = found->second;
  }
  return step;
}

// A prompt for two sequences, then steps of one token; their lengths differ where `apart`.
void run_model(const std::string& program, const std::string& config, bool apart, float tolerance = 2e-5f) {
  TwoMachines m(plan_for(program, config), 11);
  m.tolerance = tolerance;
  m.allocate(sizes_of(m.plan, {{"B", {2}}, {"S", {7}}, {"P", {12, 12}}}));
  m.step("prefill", sizes_of(m.plan, {{"B", {2}}, {"S", {7}}, {"P", {0, 0}}}), 32);
  for (int64_t i = 0; i < 4; ++i) {
    m.step("decode", sizes_of(m.plan, {{"B", {2}}, {"S", {1}}, {"P", {7 + i, apart ? 3 + i : 7 + i}}}), 32);
  }
  CHECK(m.checked == 5);
}

constexpr const char* kTinyLlama =
    R"({"model_type": "llama", "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
  "head_dim": 8, "intermediate_size": 48, "vocab_size": 32, "num_hidden_layers": 2, "rms_norm_eps": 1e-5, "dtype": "DTYPE",
  "max_position_embeddings": 64, "rope_theta": 10000.0, "tie_word_embeddings": true, "hidden_act": "silu"MORE})";

std::string config_with(std::string text, const std::string& dtype, const std::string& more) {
  text.replace(text.find("DTYPE"), 5, dtype);
  text.replace(text.find("MORE"), 4, more);
  return text;
}

}  // namespace

TEST_CASE("plans on the CUDA kernels: the smallest program") {
  const std::string text = file_text("examples/hotpath.irplan");
  TwoMachines m(plan_for(text, ""), 3);
  m.tolerance = 2e-3f;  // f16
  for (const int64_t s : {1, 5}) {
    const StepBinding step = sizes_of(m.plan, {{"S", {s}}, {"D", {96}}});
    m.allocate(step);
    m.step("main", step, 1);
  }
  CHECK(m.checked == 2);
}

TEST_CASE("plans on the CUDA kernels: llama, sequences of their own lengths") {
  const std::string program = file_text("examples/models/llama.irplan");
  run_model(program, config_with(kTinyLlama, "float32", ""), true);
  run_model(program, config_with(kTinyLlama, "bfloat16", ""), false, 3e-2f);
}

TEST_CASE("plans on the CUDA kernels: mistral, whose cache wraps") {
  std::string config = config_with(kTinyLlama, "float32", R"(, "sliding_window": 4)");
  config.replace(config.find("llama"), 5, "mistral");
  run_model(file_text("examples/models/llama.irplan"), config, true);
}

TEST_CASE("plans on the CUDA kernels: every family") {
  const std::pair<const char*, const char*> families[] = {
      {"qwen3", "llama"},        {"gemma2", "gemma"},      {"gpt2", "gpt2"},
      {"phi3_longrope", "phi3"}, {"gpt_oss_mxfp4", "moe"}, {"deepseek_v3_fp8", "deepseek_v3"}};
  for (const auto& [golden, example] : families) {
    INFO(golden);
    run_model(file_text(std::string("examples/models/") + example + ".irplan"),
              file_text(std::string("tests/data/goldens/") + golden + "/config.json"), true);
  }
}
