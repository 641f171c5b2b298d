// Placement and order of ops: by hand where the answer is known, and on random programs at random sizes.
#include "catch.h"
#include "memory/check_program.h"
#include "memory/planned.h"

using namespace irplan;
using namespace irplan::memory_test;

namespace {

Plan in_program_order(const std::string& text) {
  CompileOptions options;
  options.keep_order = true;
  return planned(text, options);
}

// Both wide values first, as one would write it; one branch after the other needs half.
const char* const kBranches =
    "dim S in 1..4096\n"
    "input x: f16[S, 64]\n"
    "w1 = param f16[1024, 64]\n"
    "w2 = param f16[64, 1024]\n"
    "a = linear(x, w1)\n"
    "b = linear(x, w1)\n"
    "c = linear(a, w2)\n"
    "d = linear(b, w2)\n"
    "y = output(add(c, d))\n";

}  // namespace

TEST_CASE("branches run one after the other where that takes less") {
  const Plan plan = planned(kBranches);
  CHECK(plan.memory.peak_bytes == 4096 * (2 * 1024 + 2 * 64 + 2 * 64));  // one wide value, c, and d
  CHECK(plan.ops[1].id == "c");
  const Plan kept = in_program_order(kBranches);
  CHECK(kept.memory.peak_bytes == 4096 * (2 * 1024 + 2 * 1024 + 2 * 64));
  CHECK(kept.ops[1].id == "b");
}

TEST_CASE("the dump of the schedule sets the order beside program order, depth first and list order") {
  CompileOptions options;
  options.dump_after = {"schedule"};
  const Compilation done = compile(SourceText("test.irplan", kBranches), options);
  REQUIRE(done.dumps.size() == 1);
  const int64_t wide = 4096 * 2 * 1024, narrow = 4096 * 2 * 64;
  CHECK(done.dumps[0].second.ends_with(
      "# bytes alive at once in main: program order " + std::to_string(2 * wide + narrow) + ", depth first " +
      std::to_string(wide + 2 * narrow) + ", list order " + std::to_string(wide + 2 * narrow) +
      ", this order " + std::to_string(wide + 2 * narrow) + "\n"));
}

TEST_CASE("a part of a concat that is made early holds the bytes of all, so it is made late") {
  const std::string head =
      "dim S in 1..128\ninput x: f16[S, 64]\nw = param f16[512, 64]\nwk = param f16[64, 64]\n"
      "wb = param f16[64, 512]\nwy = param f16[64, 576]\n";
  const std::string part = "k = linear(x, wk)\n", rest = "b = linear(a, wb)\nc = linear(b, w)\n";
  const std::string end = "y = output(linear(concat(k, c, axis=-1), wy))\n";
  const int64_t late = 128 * 2 * (64 + 576);  // b, and the concat's result
  for (const std::string& body : {"a = linear(x, w)\n" + part + rest, part + "a = linear(x, w)\n" + rest,
                                  "a = linear(x, w)\n" + rest + part})
    CHECK(planned(head + body + end).memory.peak_bytes == late);
  CHECK(in_program_order(head + "a = linear(x, w)\n" + part + rest + end).memory.peak_bytes ==
        128 * 2 * (576 + 512 + 64));
}

TEST_CASE("an order that is better at a small size alone is found") {
  // At the largest S the wide tail decides, whatever the order above it; at S = 1 the branches do, whose
  // width does not grow.
  const std::string text =
      "dim S in 1..4096\ninput x: f16[S, 64]\ninput z: f16[64, 64]\nw1 = param f16[1024, 64]\n"
      "w2 = param f16[64, 1024]\nwide = param f16[4096, 64]\nback = param f16[64, 4096]\n"
      "a = linear(z, w1)\nb = linear(z, w1)\nc = linear(a, w2)\nd = linear(b, w2)\n"
      "y = output(add(c, d))\n"
      "t = linear(x, wide)\nu = output(linear(t, back))\n";
  const Plan better = planned(text), kept = in_program_order(text);
  CHECK(bind_arena(better, "main", {1})->bytes < bind_arena(kept, "main", {1})->bytes);
  CHECK(bind_arena(better, "main", {4096})->bytes <= bind_arena(kept, "main", {4096})->bytes);
}

TEST_CASE("no random program needs more than in program order, at the largest and the least sizes") {
  int lower = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    const std::string text = random_program(random, seed % 10 == 0 ? 40 : 14);
    const Plan better = planned(text), kept = in_program_order(text);
    Binding least;
    for (const Plan::Dim& dim : better.dims) least.push_back(dim.min);
    INFO("seed " << seed);
    CHECK(better.memory.peak_bytes <= kept.memory.peak_bytes);
    CHECK(bind_arena(better, "main", least)->bytes <= bind_arena(kept, "main", least)->bytes);
    lower += better.memory.peak_bytes < kept.memory.peak_bytes;
  }
  CHECK(lower > 0);
}

TEST_CASE("programs stay as they were written where no order is better") {
  const Plan plan = planned(
      "dim S in 1..4096\ninput x: f16[S, 64]\nw = param f16[64, 64]\n"
      "a = silu(x)\nb = relu(x)\nc = linear(a, w)\nd = linear(b, w)\ny = output(add(c, d))\n");
  REQUIRE(plan.ops.size() == 5);
  CHECK(plan.ops[0].id == "a");
  CHECK(plan.ops[1].id == "b");
}

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
    std::string why;
    auto plan = read_plan(compile(SourceText("random.irplan", text), options).plan_json, &why);
    INFO(why);
    REQUIRE(plan);
    REQUIRE(validate_plan(*plan).empty());
    return std::move(*plan);
  };
  int better = 0;
  const auto check = [&](uint64_t seed, int ops) {
    Random random(seed);
    const std::string text = random_program(random, ops);
    const Plan fast = with(text, "portfolio");
    if (fast.memory.range.worst_ratio <= 1.0) return;  // nothing to be searched for
    const Plan searched = with(text, "limited");
    CHECK(searched.memory.range.worst_ratio <= fast.memory.range.worst_ratio);
    if (searched.memory.range.worst_ratio == fast.memory.range.worst_ratio)
      CHECK(searched.memory.strength == fast.memory.strength);
    better += searched.memory.range.worst_ratio < fast.memory.range.worst_ratio;
  };
  for (uint64_t seed = 1; seed <= 200; ++seed) check(seed, 24);
  // Seldom is one above its bound; of these one is lowered to it and one is not.
  check(26, 80);
  check(90, 48);
  CHECK(better > 0);
}
