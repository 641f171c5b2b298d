// What a decode step costs the host on the CUDA backend, on a device that is not there: the step is bound,
// its token uploaded, the control numbers written, every kernel of 16 layers handed to a launch that does
// nothing, the fault read back. Widths are small: the host's work does not depend on them. What the driver
// takes for a launch is not in it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "bench/bench.h"
#include "fake_cuda/fake_cuda.h"
#include "irplan/compile.h"
#include "runtime/session.h"

namespace irplan::bench {
namespace {

constexpr const char* kLayersOf1B =
    R"({"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
  "intermediate_size": 96, "vocab_size": 128, "num_hidden_layers": 16, "rms_norm_eps": 1e-5, "dtype": "bfloat16",
  "max_position_embeddings": 8192, "rope_theta": 10000.0, "tie_word_embeddings": true, "hidden_act": "silu"})";
constexpr int kSteps = 2000;
constexpr double kMostSeconds = 60e-6;  // a step

Step decode_at(const Plan& plan, int64_t position) {
  Step step;
  step.phase = "decode";
  step.sizes.dims.assign(plan.dims.size(), 1);
  step.sizes.rows.assign(plan.dims.size(), {});
  for (size_t d = 0; d < plan.dims.size(); ++d) {
    if (plan.dims[d].name == "P") step.sizes.dims[d] = position;
    if (!plan.dims[d].per.empty()) step.sizes.rows[d] = {step.sizes.dims[d]};
  }
  return step;
}

int failed(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  return 1;
}

}  // namespace

int steps_bench() {
  CompileOptions options;
  options.target = "cuda";
  options.config = kLayersOf1B;
  const Compilation done = compile(
      SourceText("llama.irplan", read(std::string(IRPLAN_SOURCE_DIR) + "/examples/models/llama.irplan")),
      options);
  if (!done.ok) return failed(render(done.diagnostics, done.source, false));
  const auto plan = checked_plan(done.plan_json, "plan.json");
  if (!plan) return failed(plan.message());
  const auto backend = make_fake_cuda_backend(0);
  if (!backend) return failed(backend.message());
  Session session(*plan, **backend);
  WeightSource weights;
  weights.seed = 1;
  if (auto failure = session.prepare({decode_at(*plan, kSteps)}, weights)) return failed(*failure);
  const uint32_t tokens = *find_input(*plan, "tokens");
  HostArray token;
  token.floats = false;
  token.shape = {1, 1};
  token.i = {1};
  std::vector<double> seconds;
  for (int i = 0; i < kSteps; ++i) {
    const Step step = decode_at(*plan, i);
    const auto begin = std::chrono::steady_clock::now();
    Failure failure = session.bind(step);
    if (!failure) failure = session.set_input(tokens, token);
    if (!failure) failure = session.run();
    if (failure) return failed(*failure);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(seconds.begin(), seconds.end());
  std::printf("%s\n%zu records a step, %d control numbers\n", circumstances().c_str(),
              session.schedule()->records.size(), session.schedule()->control_count);
  figure("host work of a step, median", seconds[kSteps / 2] * 1e6, "us", kMostSeconds * 1e6);
  figure("host work of a step, least", seconds.front() * 1e6, "us", kMostSeconds * 1e6);
  return 0;
}

}  // namespace irplan::bench
