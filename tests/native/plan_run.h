// Plans compiled, run step by step on a backend, and compared.
#pragma once

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "cpu/cpu_backend.h"
#include "irplan/compile.h"
#include "native/source_file.h"
#include "runtime/reference_backend.h"
#include "runtime/session.h"
#include "runtime/threads.h"

namespace irplan::test {

inline std::string compiled(const std::string& program, const std::string& target,
                            const std::string& config = "") {
  CompileOptions options;
  options.target = target;
  if (!config.empty()) options.config = config;
  const Compilation done = compile(SourceText("test.irplan", program), options);
  INFO(render(done.diagnostics, done.source, false));
  REQUIRE(done.ok);
  return done.plan_json;
}

inline std::unique_ptr<Plan> plan_of(const std::string& text) {
  auto plan = checked_plan(text, "plan.json");
  INFO(plan.message());
  REQUIRE(plan);
  return std::make_unique<Plan>(*std::move(plan));
}

inline std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

inline std::vector<std::string> rows_of(std::string_view target) {
  std::vector<std::string> names;
  for (const KernelRow& row : kernels_of(target)) names.push_back(row.name());
  return names;
}

inline Step step_of(const Plan& plan, const std::string& phase,
                    const std::vector<std::pair<std::string, int64_t>>& sizes) {
  Step step;
  step.phase = phase;
  step.sizes.dims.assign(plan.dims.size(), 1);
  step.sizes.rows.assign(plan.dims.size(), {});
  int64_t batch = 1;
  for (size_t d = 0; d < plan.dims.size(); ++d) {
    for (const auto& [name, size] : sizes) {
      if (plan.dims[d].name == name) step.sizes.dims[d] = size;
    }
    if (plan.dims[d].name == "B") batch = step.sizes.dims[d];
  }
  for (size_t d = 0; d < plan.dims.size(); ++d) {
    if (!plan.dims[d].per.empty()) step.sizes.rows[d].assign(static_cast<size_t>(batch), step.sizes.dims[d]);
  }
  return step;
}

// A run of steps on one backend, and what an output was after each.
inline std::vector<HostArray> run(const Plan& plan, Backend& backend, const std::vector<Step>& steps,
                                  const std::vector<HostArray>& inputs, const std::string& output,
                                  WeightSource weights = {.checkpoint = {}, .bytes = {}, .seed = 7}) {
  const Failure refused = backend.load(plan);
  INFO(refused.value_or(""));
  REQUIRE_FALSE(refused);
  Session session(plan, backend);
  lend_machine_threads();
  const Failure prepared = session.prepare(steps, weights);
  INFO(prepared.value_or(""));
  REQUIRE_FALSE(prepared);
  CHECK(session.predicted() == session.allocated());
  std::vector<HostArray> out;
  for (size_t i = 0; i < steps.size(); ++i) {
    const Failure bound = session.bind(steps[i]);
    INFO(bound.value_or(""));
    REQUIRE_FALSE(bound);
    for (uint32_t v = 0; v < plan.values.size(); ++v) {
      if (plan.values[v].kind == Plan::Kind::Input) REQUIRE_FALSE(session.set_input(v, inputs[i]));
    }
    const Failure ran = session.run();
    INFO(ran.value_or(""));
    REQUIRE_FALSE(ran);
    auto array = session.read(find_output(plan, output, steps[i].phase)->value);
    INFO(array.message());
    REQUIRE(array);
    out.push_back(std::move(*array));
  }
  return out;
}

inline float largest_difference(const std::vector<HostArray>& a, const std::vector<HostArray>& b) {
  float most = 0, scale = 0;
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].f.size() == b[i].f.size());
    for (size_t k = 0; k < a[i].f.size(); ++k) {
      REQUIRE(std::isfinite(a[i].f[k]));
      most = std::max(most, std::fabs(a[i].f[k] - b[i].f[k]));
      scale = std::max(scale, std::fabs(a[i].f[k]));
    }
  }
  return scale > 0 ? most / scale : most;
}

inline HostArray floats(std::vector<int64_t> shape) {
  HostArray out;
  out.shape = std::move(shape);
  for (int64_t i = 0; i < out.count(); ++i) out.f.push_back(std::sin(static_cast<float>(i) * 0.37f));
  return out;
}

inline HostArray ids(std::vector<int64_t> shape, int64_t first) {
  HostArray out;
  out.floats = false;
  out.shape = std::move(shape);
  for (int64_t i = 0; i < out.count(); ++i) out.i.push_back((first + i * 7) % 40);
  return out;
}

constexpr const char* kLlama =
    R"({"model_type": "llama", "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
  "head_dim": 8, "intermediate_size": 48, "vocab_size": 40, "num_hidden_layers": 1, "rms_norm_eps": 1e-5,
  "dtype": "float32", "max_position_embeddings": 1024, "rope_theta": 10000.0, "tie_word_embeddings": TIED,
  "hidden_act": "silu"})";

inline std::string llama_config(bool tied) {
  std::string text = kLlama;
  text.replace(text.find("TIED"), 4, tied ? "true" : "false");
  return text;
}

inline const Plan::Op* op_named(const Plan& plan, const std::string& kernel) {
  const auto found =
      std::find_if(plan.ops.begin(), plan.ops.end(), [&](const Plan::Op& op) { return op.kernel == kernel; });
  return found == plan.ops.end() ? nullptr : &*found;
}

// A prompt, then tokens one by one.
struct Text {
  std::vector<Step> steps;
  std::vector<HostArray> tokens;
  Text(const Plan& plan, int64_t prompt, int64_t more, int64_t batch = 2) {
    steps.push_back(step_of(plan, "prefill", {{"B", batch}, {"S", prompt}, {"P", 0}}));
    tokens.push_back(ids({batch, prompt}, 3));
    for (int64_t i = 0; i < more; ++i) {
      steps.push_back(step_of(plan, "decode", {{"B", batch}, {"S", 1}, {"P", prompt + i}}));
      tokens.push_back(ids({batch, 1}, 11 + i));
    }
  }
};

}  // namespace irplan::test
