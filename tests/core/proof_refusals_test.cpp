// Plans that were changed by hand at one place, and the words in which the proof refuses them. Where a plan
// may be broken at all, tests/plans says.
#include <functional>
#include <limits>
#include <string>

#include "catch.h"
#include "irplan/compile.h"
#include "plan/bounds.h"
#include "plan/plan.h"

using namespace irplan;

namespace {

Plan proven_plan(const std::string& program) {
  CompileOptions options;
  options.target = "cpu";
  const Compilation done = compile(SourceText("p.irplan", program), options);
  INFO(render(done.diagnostics, done.source, false));
  REQUIRE(done.ok);
  auto plan = read_true_plan(done.plan_json);
  INFO(plan.message());
  REQUIRE(plan);
  return std::move(*plan);
}

bool told(const Plan& plan, const std::string& words) {
  for (const std::string& finding : validate_plan(plan)) {
    if (finding.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a change that keeps a budget is one that the command line takes, and says what it admits") {
  const Plan plan = proven_plan(
      "dim S in 1..512\ndim T in 1..8\ninput x: f32[S, T, 64]\nw = param f32[64, 64]\ny = output(linear(x, "
      "w))\n"
      "budget memory <= 64KiB\n");
  REQUIRE(plan.budget.size() == 1);
  const char* const kNoChange = "is no change that a command line takes";
  const auto with = [&](const std::string& text, const Plan::Sizes& max, int64_t bytes, bool ok) {
    Plan other = plan;
    Plan::Change change;
    change.change = text;
    change.max = max;
    change.bytes = bytes;
    change.ok = ok;
    other.budget[0].changes = {change};
    return other;
  };
  for (const char* text :
       {"", "S <= 3", "budget S", "budget  <= 3", "budget S <= ", "budget S; <= 3", "budget S <= 3 ",
        "--let a", "--let =1", "--let a=", "--let a=1\n", "--let a=/", "--let {=1", "--retype state",
        "--retype state=f99", "--retype weights=f99", "--retype inputs=f16", "--retype =f16"}) {
    INFO(text);
    CHECK(told(with(text, {}, 1, true), kNoChange));
  }
  for (const char* text : {"--let a=1", "--let a-b.C_9=Z", "--retype state=f16", "--retype weights=q8_0"}) {
    INFO(text);
    CHECK_FALSE(told(with(text, {}, 1, true), kNoChange));
    CHECK_FALSE(told(with(text, {}, int64_t{1} << 40, false), kNoChange));
    CHECK(told(with(text, {}, int64_t{1} << 40, true), "keeps it with more bytes than its limit"));
    CHECK(told(with(text, {}, 1, false), "breaks it with fewer bytes than its limit"));
    CHECK(validate_plan(with(text, {{"nobody", 3}}, 1, true)).size() == 1);
    CHECK(validate_plan(with(text, {{"S", 9999}}, 1, true)).size() == 1);
  }
  const char* const kOthers = "admits other sizes than it says";
  CHECK_FALSE(told(with("budget S <= 3", {{"S", 3}}, 1, true), kOthers));
  CHECK_FALSE(told(with("budget main.S <= 3", {{"S", 3}}, 1, true), kOthers));
  CHECK(told(with("budget S <= 3", {}, 1, true), kOthers));
  CHECK(told(with("budget S <= 3", {{"T", 3}}, 1, true), kOthers));
  CHECK(told(with("budget S <= 3", {{"S", 4}}, 1, true), kOthers));
  CHECK(told(with("budget S <= 3", {{"S", 3}}, int64_t{1} << 40, false), kOthers));
}

TEST_CASE("a budget over dims whose ends exceed 64 bits is not answered as if it held") {
  const Plan plan = proven_plan(
      "dim S in 1..64\ndim T in 1..8\ninput x: f32[S, T]\ny = output(relu(x))\nbudget S * T <= 64\n"
      "budget T == 4\n");
  for (const char* text : {"9223372036854775807 * S <= 64", "S <= 9223372036854775807 * T", "S ? T"}) {
    INFO(text);
    Plan other = plan;
    other.budget[0].expr = text;
    other.budget[0].ok = true;
    CHECK_FALSE(validate_plan(other).empty());
  }
  for (const bool ok : {false, true}) {
    Plan other = plan;
    other.budget[1].ok = ok;
    CHECK(validate_plan(other).empty() == (ok == plan.budget[1].ok));
  }
  Plan counted = plan;
  counted.budget[0].used_bytes = 3;
  CHECK_FALSE(validate_plan(counted).empty());
}

TEST_CASE("dims, values and phases that contradict each other are refused") {
  const Plan plan = proven_plan(
      "dim B in 1..4\ndim P[B] in 0..40\ndim S in 1..8\nphase a { S = 1 }\nphase b { S in 2..8 }\n"
      "input x: f32[B, S, 2, 8]\nw = param f32[8, 8]\ny = output(rope(linear(x, w), base=10000, at=P))\n");
  const auto refused = [&](const std::function<void(Plan&)>& damage) {
    Plan other = plan;
    damage(other);
    return !validate_plan(other).empty();
  };
  CHECK_FALSE(refused([](Plan&) {}));
  CHECK(refused([](Plan& p) { p.dims[1].per = "nobody"; }));
  CHECK(refused([](Plan& p) { p.dims[1].per = "P"; }));
  CHECK(refused([](Plan& p) { p.dims[0].per = "P"; }));
  CHECK(refused([](Plan& p) { p.phases[1].ops_end += 1; }));
  CHECK(refused([](Plan& p) { p.phases[1].ops_begin += 1; }));
  CHECK(refused([](Plan& p) { p.memory.range.worst_ratio = std::numeric_limits<double>::infinity(); }));
  CHECK(refused([](Plan& p) { p.memory.range.worst_ratio = 2; }));
  for (size_t v = 0; v < plan.values.size(); ++v) {
    INFO(plan.values[v].id);
    if (plan.values[v].kind == Plan::Kind::Temp) {
      CHECK(refused([&](Plan& p) { p.values[v].kind = Plan::Kind::Param; }));
      CHECK(refused([&](Plan& p) { p.values[v].id = "c/" + p.values[v].id; }));
      CHECK(refused([&](Plan& p) { p.values[v].phase = p.values[v].phase == "a" ? "b" : "a"; }));
      continue;
    }
    CHECK(refused([&](Plan& p) { p.values[v].phase = "a"; }));
    if (plan.values[v].kind != Plan::Kind::Folded) CHECK(refused([&](Plan& p) { p.values[v].of = {0}; }));
    CHECK(refused([&](Plan& p) { p.values[v].layout = Plan::Layout::Ring; }));
    CHECK(refused([&](Plan& p) { p.values[v].capacity = p.pool->constant(3); }));
  }
  for (size_t o = 0; o < plan.ops.size(); ++o) {
    for (uint32_t b = 0; b < plan.buffers.size(); ++b) {
      INFO(plan.ops[o].id << " with scratch " << plan.buffers[b].id);
      CHECK(refused([&](Plan& p) { p.ops[o].scratch.push_back(b); }));
    }
  }
}

TEST_CASE("a step's windows whose numbers overflow are refused before it runs") {
  const Plan plan =
      proven_plan("dim S in 0..64\ninput x: f32[S, 8]\nw = param f32[8, 8]\ny = output(linear(x, w))\n");
  const auto wrong = [&](const std::function<void(Plan&, Plan::Value&)>& damage, int64_t s = 3) {
    Plan other = plan;
    for (Plan::Value& v : other.values) {
      if (v.id == "y") damage(other, v);
    }
    return PlanBounds(other).check("main", {s}).value_or("");
  };
  const auto number = [](Plan& p, int64_t n) { return p.pool->constant(n); };
  const auto beyond = [](Plan& p) { return *p.pool->parse("9223372036854775807*S"); };
  const std::string no_size = "values y: its offset or its buffer has no size";
  const std::string too_large = "values y: its bytes exceed 64 bits";
  CHECK(wrong([](Plan&, Plan::Value&) {}).empty());
  CHECK(wrong([&](Plan& p, Plan::Value& v) { v.offset = beyond(p); }) == no_size);
  CHECK(wrong([&](Plan& p, Plan::Value& v) { p.buffers[v.buffer].bytes = beyond(p); }) == no_size);
  CHECK(wrong([&](Plan& p, Plan::Value& v) { v.shape[0] = beyond(p); }).find("has no size") !=
        std::string::npos);
  CHECK(wrong([&](Plan& p, Plan::Value& v) { v.strides = Shape{beyond(p), number(p, 1)}; }) == too_large);
  const int64_t half = int64_t{1} << 62;
  CHECK(wrong([&](Plan& p, Plan::Value& v) {
          v.shape = Shape{number(p, 2), number(p, 2)};
          v.strides = Shape{number(p, half), number(p, half)};
        }) == too_large);
  CHECK(wrong([&](Plan& p, Plan::Value& v) {
          v.shape = Shape{number(p, half), number(p, 4)};
          v.strides = Shape{number(p, 0), number(p, 1)};
        }) == too_large);
  // Where an axis is empty, nothing is touched.
  CHECK(wrong([&](Plan& p, Plan::Value& v) {
          v.shape = Shape{number(p, 0), number(p, 1 << 20), number(p, 0)};
          v.strides.reset();
        }).empty());
  // Rows of dims that the plan does not have say nothing.
  CHECK_FALSE(PlanBounds(plan).check("main", {3}, {{1, 2}, {3, 4}}));
}
