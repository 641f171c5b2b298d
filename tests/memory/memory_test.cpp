// Placement: by hand where the answer is known, and on random programs at random sizes.
#include "catch.h"
#include "memory/check_budgets.h"
#include "memory/check_program.h"
#include "memory/planned.h"

using namespace irplan;
using namespace irplan::memory_test;

TEST_CASE("results over dying operands, windows and parts of a concat take no bytes of their own") {
  const auto peak = [](const std::string& body) {
    return planned("dim S in 1..1024\ninput x: f16[S, 128]\nw = param f16[128, 128]\na = linear(x, w)\n" +
                   body)
        .memory.peak_bytes;
  };
  const int64_t one = 1024 * 128 * 2;
  CHECK(peak("y = output(silu(a))\n") == one);  // in place
  CHECK(peak("l, r = split(a, axis=-1, sizes=[64, 64])\ny = output(mul(l, r))\n") ==
        one);  // windows, and the product over one
  CHECK(peak("b = linear(x, w)\ny = output(concat(a, b, axis=-1))\n") == 2 * one);  // in the result
  CHECK(peak("y = output(add(a, a))\n") == one);
  CHECK(peak("b = linear(a, w)\ny = output(linear(b, w))\n") == 2 * one);
}

TEST_CASE("offsets come out whatever the order of the buffers, and a circle of buffers is refused") {
  Plan plan = planned(
      "dim S in 1..1024\ninput x: f16[S, 128]\nw = param f16[128, 128]\na = linear(x, w)\nb = linear(x, w)\n"
      "c = linear(a, w)\nd = a + b\ny = output(c + d)\n");
  const Binding at = {512};
  const int64_t bytes = bind_arena(plan, "main", at)->bytes;
  std::vector<uint32_t> arena;
  for (uint32_t i = 0; i < plan.buffers.size(); ++i) {
    if (plan.buffers[i].segment == Plan::Segment::Arena) arena.push_back(i);
  }
  REQUIRE(arena.size() >= 3);
  // The same buffers with the last one first, and with everything that points at them.
  Plan turned = plan;
  const auto moved = [&](uint32_t i) { return static_cast<uint32_t>(plan.buffers.size()) - 1 - i; };
  for (uint32_t i = 0; i < plan.buffers.size(); ++i) {
    turned.buffers[moved(i)] = plan.buffers[i];
    for (uint32_t& below : turned.buffers[moved(i)].above) below = moved(below);
  }
  CHECK(bind_arena(turned, "main", at)->bytes == bytes);
  for (const uint32_t i : arena)
    CHECK(bind_arena(turned, "main", at)->offsets[moved(i)] == bind_arena(plan, "main", at)->offsets[i]);
  plan.buffers[arena[0]].above = {arena[1]};
  plan.buffers[arena[1]].above = {arena[2], arena[0]};
  plan.buffers[arena[2]].above = {arena[0], arena[1]};
  CHECK(!bind_arena(plan, "main", at));
}

TEST_CASE("random programs hold at random sizes") {
  Tally tally;
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    const std::string wrong = check_program(seed, seed % 20 == 0 ? 80 : 14, 6, tally);
    if (!wrong.empty()) FAIL(wrong);
  }
  CHECK(tally.bindings > 120 * 2 * 6);
}

TEST_CASE("what random budgets are answered is found again, and what they offer is planned") {
  BudgetTally tally;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const std::string wrong = check_budgets(seed, 12, features_of(seed), tally);
    if (!wrong.empty()) FAIL(wrong);
  }
  CHECK(tally.met > 5);
  CHECK(tally.budgets - tally.met > 20);
  CHECK(tally.changes > 100);
}

TEST_CASE("random buffers are packed as well as each strength promises") {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    const std::string wrong = check_packing(seed);
    if (!wrong.empty()) FAIL(wrong);
  }
}

TEST_CASE("a stronger search never gives a worse order, and the plan says what found it") {
  const auto with = [](const std::string& text, const char* strength) {
    CompileOptions options;
    options.strength = strength;
    options.keep_order = true;  // other orders leave next to nothing to be searched for
    auto plan = read_plan(compile(SourceText("random.irplan", text), options).plan_json);
    INFO(plan.message());
    REQUIRE(plan);
    REQUIRE(validate_plan(*plan).empty());
    return std::move(*plan);
  };
  int better = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    const std::string text = random_program(random, 40);
    const Plan fast = with(text, "portfolio");
    if (fast.memory.range.worst_ratio <= 1.0) continue;  // nothing to be searched for
    const Plan searched = with(text, "limited");
    CHECK(searched.memory.range.worst_ratio <= fast.memory.range.worst_ratio);
    if (searched.memory.range.worst_ratio == fast.memory.range.worst_ratio)
      CHECK(searched.memory.strength == fast.memory.strength);
    better += searched.memory.range.worst_ratio < fast.memory.range.worst_ratio;
  }
  CHECK(better > 0);
}
