// `fit` against plans: each of its numbers is that of the plan of the example that `new` chooses, for the
// sizes that it names; what it says would fit, fits when it is planned; one more token or sequence does not.
#include "irplan/fit.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "irplan/compile.h"
#include "irplan/gpus.h"
#include "irplan/new_program.h"
#include "native/source_file.h"
#include "plan/plan.h"
#include "runtime/memory.h"

namespace irplan {
namespace {

std::string config_named(const char* name) {
  return test::file_text(std::string("examples/configs/") + name + ".json");
}

using Lets = std::vector<std::pair<std::string, std::string>>;

// The plan with a cache of `context` rows.
Plan planned(const std::string& config, int64_t context, const Lets& retypes = {}) {
  const auto program = new_program(config);
  REQUIRE(program);
  CompileOptions options;
  options.config = config;
  options.lets = {{"C", std::to_string(context)}};
  options.retypes = retypes;
  options.advise = false;
  const Compilation made = compile(SourceText(program->example + ".irplan", program->text), options);
  REQUIRE(made.ok);
  auto plan = read_plan(made.plan_json);
  REQUIRE(plan);
  return std::move(*plan);
}

// What irplan-run allocates for steps of these sizes.
PerSegment allocated(const Plan& plan, const std::vector<FitStep>& steps) {
  PerSegment out;
  for (const FitStep& step : steps) {
    Binding at;
    for (const Plan::Dim& dim : plan.dims) {
      const auto same = [&](const auto& own) { return own.first == dim.name; };
      const auto found = std::find_if(step.dims.begin(), step.dims.end(), same);
      REQUIRE(found != step.dims.end());
      at.push_back(found->second);
    }
    const auto bytes = predicted_bytes(plan, step.phase, at);
    REQUIRE(bytes);
    out.weights = std::max(out.weights, bytes->weights);
    out.state = std::max(out.state, bytes->state);
    out.inputs = std::max(out.inputs, bytes->inputs);
    out.arena = std::max(out.arena, bytes->arena);
  }
  return out;
}

void check_same(const FitPoint& point, const Plan& plan) {
  const PerSegment bytes = allocated(plan, point.steps);
  CHECK(point.bytes.weights == bytes.weights);
  CHECK(point.bytes.state == bytes.state);
  CHECK(point.bytes.inputs == bytes.inputs);
  CHECK(point.bytes.arena == bytes.arena);
}

Fit asked(const std::string& config, std::optional<int64_t> context, std::optional<int64_t> batch,
          std::optional<int64_t> memory = std::nullopt, const Lets& retypes = {}) {
  FitOptions options;
  options.config = config;
  options.context = context;
  options.batch = batch;
  options.memory = memory;
  options.retypes = retypes;
  auto found = fit(options);
  INFO(found.message());
  REQUIRE(found);
  return std::move(*found);
}

TEST_CASE("fit of 27 published models has the plan's numbers") {
  const auto models = nlohmann::ordered_json::parse(test::file_text("tests/data/parameter-counts.json"));
  REQUIRE(models.size() == 27);
  for (const auto& [name, model] : models.items()) {
    INFO(name);
    const std::string config = model["config"].dump();
    const Fit found = asked(config, std::nullopt, 2);
    CHECK(found.example == new_program(config)->example);
    check_same(found.point, planned(config, found.point.context));
  }
}

TEST_CASE("fit has the plan's numbers at any context and batch") {
  for (const char* name :
       {"llama-3.2-1b", "gemma-3-1b", "phi-3-mini-4k", "gpt2", "mistral-7b", "gpt-oss-20b"}) {
    INFO(name);
    const std::string config = config_named(name);
    const bool small = std::string(name) == "gpt2" || std::string(name) == "phi-3-mini-4k";
    for (const int64_t context :
         small ? std::vector<int64_t>{1, 700, 1000} : std::vector<int64_t>{37, 1024, 6143, 6144, 20000}) {
      const Plan plan = planned(config, context);
      for (const int64_t batch : {1, 3, 8}) {
        INFO(context << " tokens, " << batch << " sequences");
        check_same(asked(config, context, batch).point, plan);
      }
    }
  }
}

TEST_CASE("what fit says would fit, fits when it is planned") {
  for (const char* name : {"llama-3-8b", "gemma-3-1b", "qwen3-0.6b", "gpt-oss-20b"}) {
    INFO(name);
    const std::string config = config_named(name);
    const int64_t published = asked(config, std::nullopt, 1).published.value_or(0);
    const int64_t context = std::min<int64_t>(16384, published), batch = 4;
    const int64_t whole = asked(config, context, batch).point.bytes.total();
    const int64_t memory = whole - whole / 50;
    const Fit tight = asked(config, context, batch, memory);
    CHECK(!tight.point.fits);
    CHECK(tight.broken);
    // The most of each size, and one more.
    for (const int64_t more : {0, 1}) {
      CHECK(asked(config, tight.most_context + more, batch, memory).point.fits == (more == 0));
      if (tight.most_batch > 0)
        CHECK(asked(config, context, tight.most_batch + more, memory).point.fits == (more == 0));
    }
    check_same(asked(config, tight.most_context, batch).point, planned(config, tight.most_context));
    bool any = false;
    for (const FitChange& change : tight.changes) {
      any |= change.fits;
      Lets retypes;
      std::stringstream words(change.change);
      for (std::string word; words >> word;) {
        const size_t equals = word.find('=');
        if (equals != std::string::npos)
          retypes.emplace_back(word.substr(0, equals), word.substr(equals + 1));
      }
      if (retypes.empty()) continue;
      INFO(change.change);
      const Fit other = asked(config, context, batch, memory, retypes);
      CHECK(other.point.bytes.total() == change.bytes);
      CHECK(other.point.fits == change.fits);
      check_same(other.point, planned(config, context, retypes));
    }
    CHECK(any);
    for (const auto& [sequences, tokens] : tight.frontier)
      CHECK(asked(config, tokens, sequences, memory).point.fits);
  }
}

TEST_CASE("checkpoints that no example loads are counted by their bits") {
  auto config = nlohmann::ordered_json::parse(config_named("llama-3-8b"));
  const int64_t plain = asked(config.dump(), 4096, 1).point.bytes.weights;
  config["quantization_config"] = {{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 128}};
  const Fit four = asked(config.dump(), 4096, 1);
  CHECK(four.assumptions.size() == 1);
  CHECK(four.commands.empty());
  CHECK(four.point.bytes.weights < plain / 3);
  config.erase("quantization_config");
  config["quantization"] = {{"group_size", 64}, {"bits", 4}};  // MLX
  CHECK(asked(config.dump(), 4096, 1).point.bytes.weights < plain / 3);
}

TEST_CASE("what is no question of fit is refused with a reason") {
  FitOptions options;
  options.config = "{}";
  CHECK(!fit(options).message().empty());
  options.config = "{";
  CHECK(!fit(options));
  options.config = config_named("llama-3.2-1b");
  options.batch = 0;
  CHECK(fit(options).message().find("batch") != std::string::npos);
  options.batch = 1;
  options.lets = {{"C", "8"}};
  CHECK(fit(options).message().find("--context") != std::string::npos);
}

TEST_CASE("sizes as people write them") {
  CHECK(read_bytes("24GiB") == int64_t{24} << 30);
  CHECK(read_bytes("23.58GiB") ==
        25318832209);  // 23.58 * 2^30 = 25318832209.9…: a fraction of a byte is dropped
  CHECK(read_bytes("80 GB") == 80000000000);
  CHECK(read_bytes("1_024") == 1024);
  for (const char* wrong : {"", "GiB", "24 gib", "-1GiB", "1..5GiB", "9999999999GiB", "24GiBB", ".5GiB"})
    CHECK(!read_bytes(wrong));
  CHECK(read_tokens("32K") == 32768);
  CHECK(read_tokens("8192") == 8192);
  CHECK(read_tokens("1M") == 1 << 20);
  for (const char* wrong : {"", "K", "1.5K", "-1", "8 tokens"}) CHECK(!read_tokens(wrong));
}

TEST_CASE("GPUs by the names that people write") {
  std::string nearby;
  REQUIRE(find_gpu("H200", &nearby));
  CHECK(std::string(find_gpu("GeForce RTX 4090", &nearby)->name) == "rtx4090");
  CHECK(std::string(find_gpu("nvidia-a100-80gb", &nearby)->name) == "a100-80gb");
  CHECK(!find_gpu("a100", &nearby));
  CHECK(nearby == "a100-40gb");
  CHECK(!find_gpu("", &nearby));
  const auto& all = gpus();
  CHECK(std::is_sorted(all.begin(), all.end(),
                       [](const Gpu& a, const Gpu& b) { return a.mebibytes < b.mebibytes; }));
  for (const Gpu& gpu : all) {
    CHECK(find_gpu(gpu.name, &nearby) == &gpu);
    CHECK(left_bytes(gpu) < gpu.mebibytes * (int64_t{1} << 20));
    CHECK(left_bytes(gpu) > gpu.mebibytes * (int64_t{9} << 20) / 10);
  }
}

}  // namespace
}  // namespace irplan
