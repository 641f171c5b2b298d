// A plan in an engine of somebody else's: read, bound to sizes as the runtime binds them, and refused in
// words.
#include "irplan/plan_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "catch.h"
#include "irplan/compile.h"
#include "irplan/new_program.h"
#include "plan/plan.h"
#include "runtime/memory.h"

using namespace irplan;

namespace {

std::string json_of(const std::string& text, const char* target, const std::string& config = "") {
  CompileOptions options;
  options.target = target;
  options.advise = false;
  if (!config.empty()) options.config = config;
  const Compilation done = compile(SourceText("test.irplan", text), options);
  INFO(render(done.diagnostics, done.source, false));
  REQUIRE(done.ok);
  return done.plan_json;
}

PlanFile file_of(const std::string& json) {
  auto file = PlanFile::read(json);
  INFO(file.message());
  REQUIRE(file);
  return *std::move(file);
}

// The step at the plan's own sizes is what the runtime makes of the plan.
void check_step(const PlanFile& file, const Plan& plan, const std::string& phase) {
  PlanFile::Sizes sizes;
  Binding at;
  for (const PlanFile::Dim& dim : file.dims())
    sizes.emplace_back(dim.name, dim.value), at.push_back(dim.value);
  for (const Plan::Phase& p : plan.phases) {
    for (const Plan::PhaseDim& own : p.dims) {
      for (size_t d = 0; p.name == phase && d < sizes.size(); ++d) {
        if (sizes[d].first == own.name && (at[d] < own.min || (own.max && at[d] > *own.max)))
          sizes[d].second = at[d] = own.min;
      }
    }
  }
  const auto step = file.bind(phase, sizes);
  INFO(phase << ": " << step.message());
  REQUIRE(step);
  const auto bytes = predicted_bytes(plan, phase, at);
  REQUIRE(bytes);
  CHECK(step->bytes.arena == bytes->arena);
  CHECK(step->bytes.state == bytes->state);
  CHECK(step->bytes.inputs == bytes->inputs);
  CHECK(step->bytes.weights >= bytes->weights);  // those that only loading reads as well
  REQUIRE(step->values.size() == plan.values.size());
  REQUIRE(step->buffers.size() == plan.buffers.size());
  for (const PlanFile::Op& op : step->ops) {
    for (const uint32_t value : op.out) {
      REQUIRE(value < step->values.size());
      const PlanFile::Value& v = step->values[value];
      CHECK(step->buffers[v.buffer].here);
      CHECK(v.shape.size() == v.strides.size());
    }
    for (const auto& [name, json] : op.attributes)
      CHECK_FALSE(nlohmann::json::parse(json, nullptr, false).is_discarded());
  }
}

}  // namespace

TEST_CASE("every example, for each target, binds as the runtime does") {
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(IRPLAN_SOURCE_DIR) / "examples/configs")) {
    std::ifstream in(entry.path());
    const std::string config{std::istreambuf_iterator<char>(in), {}};
    if (config.size() > 3000) continue;  // the larger ones say nothing new
    const auto program = new_program(config);
    REQUIRE(program);
    for (const char* target : {"cpu", "cuda"}) {
      INFO(entry.path().filename() << " for " << target);
      const std::string json = json_of(program->text, target, config);
      const PlanFile file = file_of(json);
      const auto plan = read_plan(json);
      REQUIRE(plan);
      CHECK(file.target() == target);
      CHECK(file.align() == plan->align);
      CHECK(file.outputs().size() == plan->outputs.size());
      for (const std::string& phase : file.phases()) check_step(file, *plan, phase);
      const auto load = file.bind("load", {});
      REQUIRE(load);
      CHECK(load->ops.empty() == (plan->ops.empty() || plan->ops[0].phase != "load"));
    }
  }
}

TEST_CASE("sizes that a plan does not have are refused in words") {
  const PlanFile file = file_of(json_of(
      "dim B in 1..8\ndim S in 2..64\ninput x: f32[B, 4]\ninput z: f32[S, 4]\ny = output(add(x, z))\n",
      "cpu"));
  const auto why = [&](const char* phase, const PlanFile::Sizes& sizes) {
    return file.bind(phase, sizes).message();
  };
  CHECK(why("main", {{"B", 4}, {"S", 4}}).empty());
  CHECK(why("decode", {}) == "the plan has no phase decode");
  CHECK(why("main", {{"B", 2}, {"S", 4}, {"T", 1}}) == "the plan has no dim T");
  CHECK(why("main", {{"B", 2}}) == "no size is given for S");
  CHECK(why("main", {{"B", 2}, {"S", 65}}) == "S = 65 is outside of its range 2..64");
  CHECK(why("main", {{"B", 0}, {"S", 4}}) == "B = 0 is outside of its range 1..8");
  CHECK(why("main", {{"B", 8}, {"S", 4}}).find("does not hold") != std::string::npos);
  CHECK_FALSE(PlanFile::read("{}"));
  const PlanFile phases =
      file_of(json_of("dim S in 1..99\nphase first { S = 1 }\nphase rest { S in 2..9 }\ninput x: f32[S]\n"
                      "y = output(silu(x))\n",
                      "cpu"));
  CHECK(phases.bind("first", {}));  // its only size
  CHECK(phases.bind("rest", {{"S", 1}}).message() == "S = 1 is outside of its range 2..9 in phase rest");
}

TEST_CASE("sizes of a step that exceed 64 bits are refused in words") {
  const PlanFile file =
      file_of(json_of("input x: f32[S, 4]\ninput z: f32[T]\n"
                      "y = output(sum(x, axis=0))\nv = output(relu(z))\n",
                      "cpu"));
  const auto why = [&](int64_t s, int64_t t) { return file.bind("main", {{"S", s}, {"T", t}}).message(); };
  CHECK(why(4, 4).empty());
  CHECK(why(0, 9) == "S = 0 is outside of its range 1..");
  CHECK(why(int64_t{1} << 60, int64_t{1} << 20) == "a size exceeds 64 bits");
  CHECK(why(int64_t{1} << 58, int64_t{1} << 20) == "a size exceeds 64 bits");
}

TEST_CASE("guards are asked before a step is made, and one without a value does not hold") {
  std::string json = json_of("dim S in 1..64\ninput x: f32[S]\ny = output(relu(x))\n", "cpu");
  const std::string none = "\"guards\": []";
  const size_t at = json.find(none);
  REQUIRE(at != std::string::npos);
  json.replace(at, none.size(),
               "\"guards\": [{\"expr\": \"S >= 2\", \"line\": 1}, "
               "{\"expr\": \"ceildiv(64, S - 2) <= 64\", \"line\": 1}]");
  const PlanFile file = file_of(json);
  CHECK(file.bind("main", {{"S", 1}}).message() == "`S >= 2` does not hold");
  CHECK(file.bind("main", {{"S", 2}}).message() == "`ceildiv(64, S - 2) <= 64` does not hold");
}

TEST_CASE("the longest names that a program may have are read back from its plan") {
  const std::string n(3980, 'n'), d(3980, 'D'), w(4000, 'w');  // room for `.silu`, and for ` <= 8`
  for (const char* target : {"cpu", "cuda"}) {
    const PlanFile file = file_of(
        json_of("dim " + d + " in 1..8\ninput x: bf16[" + d + ", 64]\nw = param bf16[64, 64] from \"" + w +
                    "\"\n" + n + " = linear(silu(x), w)\nbudget " + d + " <= 8\nout = output(" + n + ")\n",
                target));
    CHECK(file.bind("main", {{d, 3}}));
  }
}
