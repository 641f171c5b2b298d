// Plans that hurt once: each is made from a true plan by the change that was accepted, and must be refused by
// its rule.
#include <algorithm>
#include <functional>

#include "catch.h"
#include "memory/planned.h"
#include "plan/bounds.h"

using namespace irplan;
using memory_test::planned;

namespace {

Plan::Value& value(Plan& plan, const std::string& id) {
  const auto found =
      std::find_if(plan.values.begin(), plan.values.end(), [&](const auto& v) { return v.id == id; });
  REQUIRE(found != plan.values.end());
  return *found;
}

Plan::Buffer& buffer(Plan& plan, const std::string& id) { return plan.buffers[value(plan, id).buffer]; }

Expr expr(const Plan& plan, const std::string& text) {
  const auto e = plan.pool->parse(text);
  INFO(text + ": " + e.message());
  REQUIRE(e);
  return *e;
}

Shape exprs(const Plan& plan, std::initializer_list<const char*> texts) {
  Shape out;
  for (const char* text : texts) out.push_back(expr(plan, text));
  return out;
}

// Refused, and the first finding names the record and the rule.
void refused(const Plan& plan, const std::string& record, const std::string& rule) {
  const auto findings = validate_plan(plan);
  INFO(listed(findings));
  REQUIRE_FALSE(findings.empty());
  CHECK(std::any_of(findings.begin(), findings.end(), [&](const std::string& f) {
    return f.find(record) != std::string::npos && f.find("(rule " + rule + ")") != std::string::npos;
  }));
}

Plan two_params() {
  return planned(
      "dim S in 1..64\ndim D in 1..64\ninput x: f32[S, D]\nw = param f32[D]\nv = param f32[D]\n"
      "a = x * w\ny = output(a * v)\n");
}

Plan ring() {
  return planned(
      "dim S in 1..8\ndim P in 0..1000\ninput x: f32[1, S, 2, 4]\n"
      "k = append(state f32[1, 1024, 2, 4] from \"k\", x, at=P)\ny = output(attention(x, k, k, window=8))\n");
}

}  // namespace

TEST_CASE("a param whose elements lie on each other in a buffer that is too small is refused") {
  Plan plan = two_params();
  REQUIRE(validate_plan(plan).empty());
  value(plan, "w").strides = exprs(plan, {"0"});
  buffer(plan, "w").bytes = expr(plan, "4");
  refused(plan, "values w", "whole");
}

TEST_CASE("two params in one buffer are refused") {
  Plan plan = two_params();
  value(plan, "v").buffer = value(plan, "w").buffer;
  refused(plan, "values v", "owner");
}

TEST_CASE("a written window whose rows lie on each other is refused") {
  Plan plan = planned("dim S in 1..64\ninput x: f32[S, 8]\nw = param f32[8, 8]\ny = output(linear(x, w))\n");
  value(plan, "y").strides = exprs(plan, {"0", "1"});
  buffer(plan, "y").bytes = expr(plan, "32");
  refused(plan, "values y", "in-place");
}

TEST_CASE("an operand overwritten while alive is refused at sizes of any range") {
  for (const char* least : {"1", "5000"}) {
    Plan plan = planned(std::string("dim S in ") + least +
                        "..6000\ninput x: f32[S, 4096]\nw = param f32[4096, 4096]\na = linear(x, w)\n"
                        "b = linear(x, w)\nc = output(linear(a, w) + b)\n");
    value(plan, "b").buffer = value(plan, "a").buffer;
    const auto findings = validate_plan(plan);
    CHECK_FALSE(findings.empty());
  }
}

TEST_CASE("a value at a constant offset of another's buffer is refused, though small sizes part them") {
  Plan plan = planned(
      "dim S in 1..64\ninput x: f32[S, 8]\nw = param f32[8, 8]\na = linear(x, w)\nb = linear(x, w)\n"
      "c = output(a + b)\n");
  value(plan, "b").offset = expr(plan, "1024");
  refused(plan, "values b", "in-place");
}

TEST_CASE("the result of an append has its state's window, in a ring too") {
  const Plan good = ring();
  REQUIRE(validate_plan(good).empty());
  const auto damaged = [&](const std::function<void(Plan::Value&, Plan&)>& damage) {
    Plan plan = ring();
    const auto append = std::find_if(plan.ops.begin(), plan.ops.end(), [](const Plan::Op& op) {
      return std::string(op.row->name) == "append";
    });
    damage(plan.values[append->out[0]], plan);
    refused(plan, "values k", "append-window");
  };
  damaged([](Plan::Value& k, Plan& plan) { k.offset = expr(plan, "4096"); });
  damaged([](Plan::Value& k, Plan& plan) { k.strides = exprs(plan, {"120", "80000000", "4", "1"}); });
}

TEST_CASE("a ring that is smaller than a window and a step is refused") {
  Plan plan = ring();
  for (Plan::Op& op : plan.ops) {
    if (std::string(op.row->name) == "attention") op.attrs.set("window", Attr(expr(plan, "64")));
  }
  refused(plan, "ops y", "ring");
}

TEST_CASE("weights whose size follows a step are refused") {
  Plan plan = planned(
      "dim S in 1..8\ndim P in 0..100\ninput x: f32[1, S, 2, 4]\nw = param f32[4]\n"
      "k = append(state f32[1, 128, 2, 4] from \"k\", x, at=P)\ny = output(attention(x, k, k) * w)\n");
  REQUIRE(validate_plan(plan).empty());
  value(plan, "w").shape = exprs(plan, {"S"});
  refused(plan, "values w", "weight-size");
}

TEST_CASE("an attribute that exceeds 64 bits is refused, in a step at the latest") {
  Plan plan = planned("dim S in 1..4096\ninput x: f32[1, S, 2, 64]\ny = output(rope(x, base=10000, at=S))\n");
  REQUIRE(validate_plan(plan).empty());
  for (Plan::Op& op : plan.ops) op.attrs.set("at", Attr(expr(plan, "9223372036854775807*S")));
  refused(plan, "ops y", "attribute");
  CHECK_FALSE(PlanBounds(plan).check("main", {1}));
  const auto wrong = PlanBounds(plan).check("main", {3});
  REQUIRE(wrong);
  CHECK(wrong->find("at, 9223372036854775807*S, exceeds 64 bits") != std::string::npos);
}

TEST_CASE("blocks lie one behind the other") {
  Plan plan = planned(
      "dim S in 1..8\ndim P in 0..100\ninput x: f32[1, S, 2, 32]\n"
      "k = append(state q8_0[1, 128, 2, 32] from \"k\", x, at=P)\ny = output(attention(x, k, k))\n");
  REQUIRE(validate_plan(plan).empty());
  for (Plan::Value& v : plan.values) {
    if (v.kind == Plan::Kind::State) v.strides = exprs(plan, {"0", "0", "0", "0"});
  }
  refused(plan, "values ", "blocks");
}

TEST_CASE("a step whose window ends beyond its buffer does not run") {
  Plan plan = planned("dim S in 1..64\ninput x: f32[S, 8]\nw = param f32[8, 8]\ny = output(linear(x, w))\n");
  CHECK_FALSE(PlanBounds(plan).check("main", {64}));
  buffer(plan, "y").bytes = expr(plan, "32*S - 4");
  const auto wrong = PlanBounds(plan).check("main", {2});
  REQUIRE(wrong);
  CHECK(*wrong == "values y: ends at byte 64 of a buffer of 60");
}

TEST_CASE("what an operator's rule fills in is told by the plan, for the kernels that read it there") {
  Plan plan = planned("dim S in 1..8\ninput x: f32[1, S, 2, 64]\ny = output(rope(x, base=10000, at=S))\n");
  REQUIRE(validate_plan(plan).empty());
  for (Plan::Op& op : plan.ops) op.attrs.set("dim", Attr());
  refused(plan, "ops y", "attribute");
}

TEST_CASE("sizes of weights and states may not follow how many sequences or tokens a step has") {
  const auto stored = [](Plan::Kind kind, const char* shape) {
    Plan plan = planned(
        "dim B in 1..4\ndim S in 1..8\ndim P in 0..100\ninput t: i32[B, S]\n"
        "x = embed(t, param f32[9, 8] from \"e\")\nk = append(state f32[B, 128, 8] from \"k\", x, at=P)\n"
        "y = output(sum(k, axis=1) * sum(param f32[4, 8] from \"w\", axis=0, keep=true))\n");
    REQUIRE(validate_plan(plan).empty());
    for (Plan::Value& v : plan.values) {
      if (v.kind == kind && v.source != "e") v.shape.back() = expr(plan, shape);
    }
    return plan;
  };
  for (const char* dim : {"B", "S", "P"}) {
    refused(stored(Plan::Kind::Param, dim), "values ", "weight-size");
    refused(stored(Plan::Kind::State, dim), "values ", "state-size");
  }
}

TEST_CASE("a budget whose limit moves with sizes is not ok where some size breaks it") {
  Plan plan = planned(
      "dim S in 1..64\ndim T in 1..64\nbudget memory <= T * 100 + 20000\ninput x: f32[S, 64]\ninput z: "
      "f32[T, 8]\n"
      "w = param f32[64, 64]\ny = output(relu(linear(x, w)))\nz2 = output(relu(z))\n");
  REQUIRE(validate_plan(plan).empty());
  REQUIRE_FALSE(plan.budget[0].ok);
  plan.budget[0].ok = true;
  refused(plan, "budget memory", "budget-ok");
}

TEST_CASE("products of long sums end as too much work, not as hours of it") {
  Dims dims;
  Expr sum = dims.constant(0);
  for (int i = 0; i < 60; ++i) sum = sum + dims.dim("d" + std::to_string(i));
  int64_t made = 0;
  while (made < 100'000 && !((sum + made) * (sum + made)).overflowed()) ++made;
  CHECK(made > 100);
  CHECK(made < 10'000);
}
