// The rules of other compilers: by hand where the answer is known, then what must hold of any placement, and
// that no rule needs less than the plan of any example.
#include "rivals/rivals.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.h"
#include "irplan/new_program.h"
#include "memory/planned.h"
#include "memory/random_program.h"

using namespace irplan;
using namespace irplan::memory_test;

namespace {

// One dim S in 1..100, sizes as `a * S + b`.
struct Hand {
  rivals::Problem problem;
  explicit Hand(std::optional<int64_t> most = 100, int64_t align = 1) {
    problem.dims = std::make_shared<Dims>();
    problem.align = align;
    problem.most = {most};
    problem.dims->dim("S");
  }
  Hand& buffer(int64_t a, int64_t b, uint32_t begin, uint32_t end, DType dtype = DType::I8) {
    Dims& dims = *problem.dims;
    problem.buffers.push_back({dims.dim("S") * a + b, begin, end, dtype});
    return *this;
  }
  int64_t bound(int64_t size) const { return rivals::lower_bound(problem, {size}).value_or(-1); }
  // Bytes at a size; -1 where the rule has no answer.
  int64_t needs(rivals::Placing (*rule)(const rivals::Problem&, const Binding&), int64_t size,
                int64_t hint = 100) const {
    const auto placement = rule(problem, {hint})({size});
    return placement ? placement->bytes : -1;
  }
};

// What is wrong with a placement, empty where nothing is.
std::string fault(const rivals::Problem& problem, const rivals::Placement& placement, const Binding& at) {
  const auto sizes = rivals::sizes_at(problem, at);
  if (!sizes || placement.offsets.size() != problem.buffers.size()) return "buffers are missing";
  for (size_t i = 0; i < problem.buffers.size(); ++i) {
    const int64_t top = placement.offsets[i] + (*sizes)[i];
    if (placement.offsets[i] % problem.align != 0) return "an offset is not aligned";
    if (placement.offsets[i] < 0 || top > placement.bytes) return "a buffer stands out";
    for (size_t k = 0; k < i; ++k) {
      if (rivals::meet(problem.buffers[i], problem.buffers[k]) && placement.offsets[k] < top &&
          placement.offsets[i] < placement.offsets[k] + (*sizes)[k])
        return "buffers " + std::to_string(k) + " and " + std::to_string(i) + " overlap";
    }
  }
  return "";
}

std::string read(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Plan planned_of(const std::string& text, const std::optional<std::string>& config) {
  CompileOptions options;
  options.config = config;
  return memory_test::planned(text, options);
}

bool admitted(const Plan& plan, const std::string& phase, const Binding& at) {
  return std::all_of(plan.guards.begin(), plan.guards.end(), [&](const Plan::Guard& g) {
    const auto left = evaluate(g.left, at), right = evaluate(g.right, at);
    return (!g.phase.empty() && g.phase != phase) ||
           (left && right &&
            (g.relation == Relation::LessEqual      ? *left <= *right
             : g.relation == Relation::GreaterEqual ? *left >= *right
                                                    : *left == *right));
  });
}

}  // namespace

TEST_CASE("the bound counts what is alive together, rounded up but for one") {
  Hand hand(100, 256);
  hand.buffer(0, 300, 0, 2).buffer(0, 10, 1, 3).buffer(0, 100, 2, 4);
  CHECK(hand.bound(1) == 512 + 10);  // 300 lies below, 10 above: 212 less padding is lost than the other way
  CHECK(hand.needs(rivals::no_reuse, 1) == 512 + 256 + 100);
}

TEST_CASE("no reuse: everything by itself") {
  const Hand hand = Hand().buffer(4, 0, 0, 1).buffer(8, 0, 1, 2).buffer(0, 5, 2, 3);
  CHECK(hand.needs(rivals::no_reuse, 10) == 125);
  CHECK(hand.bound(10) == 80);
}

TEST_CASE("upper bound, pool: free storages near in size, at the largest sizes") {
  SECTION("what is free is taken, whatever the size that comes") {
    const Hand hand = Hand().buffer(4, 0, 0, 2).buffer(4, 0, 1, 3).buffer(4, 0, 2, 4);
    CHECK(hand.needs(rivals::token_pool, 1) == 800);
    CHECK(hand.needs(rivals::token_pool, 100) == 800);
    CHECK(hand.bound(1) == 8);
  }
  SECTION("a smaller one grows, up to 16 times") {
    CHECK(Hand().buffer(4, 0, 0, 1).buffer(64, 0, 1, 2).needs(rivals::token_pool, 1) == 6400);
    CHECK(Hand().buffer(4, 0, 0, 1).buffer(68, 0, 1, 2).needs(rivals::token_pool, 1) == 400 + 6800);
  }
  SECTION("a larger one is taken up to 16 times") {
    CHECK(Hand().buffer(16, 0, 0, 1).buffer(1, 0, 1, 2).needs(rivals::token_pool, 1) == 1600);
    CHECK(Hand().buffer(17, 0, 0, 1).buffer(1, 0, 1, 2).needs(rivals::token_pool, 1) == 1800);
  }
  SECTION("dtypes do not mix") {
    CHECK(Hand().buffer(4, 0, 0, 1, DType::F32).buffer(4, 0, 1, 2, DType::I32).needs(rivals::token_pool, 1) ==
          800);
  }
  SECTION("without an upper bound only equal sizes share") {
    const Hand hand =
        Hand(std::nullopt).buffer(4, 0, 0, 1).buffer(8, 0, 1, 2).buffer(4, 0, 2, 3).buffer(0, 7, 3, 4);
    CHECK(hand.needs(rivals::token_pool, 10) == 40 + 80 + 7);
  }
}

TEST_CASE("upper bound, shared objects: the largest first, inside of objects that never grow") {
  CHECK(Hand().buffer(0, 10, 0, 4).buffer(0, 6, 0, 2).buffer(0, 4, 2, 4).needs(rivals::shared_objects, 1) ==
        16);
  CHECK(Hand().buffer(0, 10, 0, 2).buffer(0, 6, 2, 4).buffer(0, 4, 2, 4).needs(rivals::shared_objects, 1) ==
        10);
  CHECK(Hand().buffer(0, 10, 0, 2).buffer(0, 6, 2, 4).buffer(0, 5, 2, 4).needs(rivals::shared_objects, 1) ==
        15);
  CHECK(Hand().buffer(3, 0, 0, 1).needs(rivals::shared_objects, 1) == 300);
  CHECK(Hand(std::nullopt).buffer(3, 0, 0, 1).needs(rivals::shared_objects, 1) == -1);  // refused
}

TEST_CASE("greedy by size and as traced differ where a large one comes late") {
  const Hand late = Hand().buffer(0, 4, 0, 2).buffer(0, 4, 1, 4).buffer(0, 8, 2, 4);
  CHECK(late.needs(rivals::greedy_by_size, 1) == 12);
  CHECK(late.needs(rivals::traced_pattern, 1) == 16);  // 8 does not fit below the second
  const Hand gap = Hand().buffer(0, 10, 0, 2).buffer(0, 8, 1, 3).buffer(0, 6, 2, 4);
  CHECK(gap.needs(rivals::greedy_by_size, 1) == 18);
  CHECK(gap.needs(rivals::traced_pattern, 1) == 18);
}

TEST_CASE("only equal sizes share, constants below") {
  CHECK(Hand().buffer(4, 0, 0, 1).buffer(8, 0, 1, 2).buffer(4, 0, 2, 3).needs(rivals::equal_sizes, 10) ==
        120);
  CHECK(Hand().buffer(4, 0, 0, 2).buffer(4, 0, 1, 3).needs(rivals::equal_sizes, 10) == 80);
  CHECK(Hand().buffer(0, 100, 0, 1).buffer(0, 50, 1, 2).buffer(4, 0, 2, 3).needs(rivals::equal_sizes, 10) ==
        140);
}

TEST_CASE("allocation tree: fits at the example, not at other sizes") {
  // Left of the space over the second goes the third: both in the place of the first.
  const Hand split = Hand().buffer(10, 0, 0, 2).buffer(6, 0, 2, 4).buffer(4, 0, 2, 4);
  CHECK(split.needs(rivals::allocation_tree, 7) == 70);
  // The slot of the first two is refused, as both are alive with the third or as large as it.
  const Hand stacked = Hand().buffer(1, 0, 0, 1).buffer(0, 100, 1, 2).buffer(0, 100, 1, 2);
  CHECK(stacked.needs(rivals::allocation_tree, 100) == 200);
  CHECK(stacked.needs(rivals::allocation_tree, 1000) == 1100);
  CHECK(stacked.bound(1000) == 1000);
  CHECK(stacked.needs(rivals::allocation_tree, 1000, 1000) == 1000);  // the same sizes as example
  // Where it is the last it grows: the second gets space above it, and the third goes there.
  const Hand grown = Hand().buffer(0, 150, 0, 1).buffer(0, 100, 1, 2).buffer(0, 90, 1, 2);
  CHECK(grown.needs(rivals::allocation_tree, 1) == 190);
}

TEST_CASE("every rule places what it is given, at any size, and never below the bound") {
  int64_t placements = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    const Plan plan = planned_of(random_program(random, seed % 10 == 0 ? 60 : 14), std::nullopt);
    for (const Plan::Phase& phase : plan.phases) {
      const rivals::Problem problem = rivals::problem_of(plan, phase);
      for (const rivals::Rule& rule : rivals::rules()) {
        const rivals::Placing placing = rule.plan(problem, random_binding(plan, random));
        for (int i = 0; i < 4; ++i) {
          const Binding at = random_binding(plan, random);
          const auto placement = placing(at);
          INFO("seed " << seed << ", " << rule.name);
          REQUIRE(placement);
          CHECK(fault(problem, *placement, at) == "");
          CHECK(placement->bytes >= *rivals::lower_bound(problem, at));
          CHECK(bind_arena(plan, phase.name, at)->bytes >= *rivals::lower_bound(problem, at));
          ++placements;
        }
      }
    }
  }
  CHECK(placements >= 60 * 7 * 4);
}

TEST_CASE("no rule needs less than the plan of any example") {
  const auto configs = std::filesystem::path(IRPLAN_SOURCE_DIR) / "examples/configs";
  int compared = 0;
  for (const auto& file : std::filesystem::directory_iterator(configs)) {
    const std::string config = read(file.path());
    const auto program = new_program(config);
    REQUIRE(program);
    const Plan plan = planned_of(program->text, config);
    Random random(1);
    for (const Plan::Phase& phase : plan.phases) {
      const rivals::Problem problem = rivals::problem_of(plan, phase);
      Binding hint;
      for (const Plan::Dim& dim : plan.dims) hint.push_back(dim.value);
      for (const Plan::PhaseDim& dim : phase.dims) hint[*plan.pool->find(dim.name)] = dim.value;
      std::vector<Binding> sizes{hint};
      for (int tries = 0; sizes.size() < 5 && tries < 1000; ++tries) {
        Binding at = random_binding(plan, random);
        for (const Plan::PhaseDim& dim : phase.dims) {
          int64_t& n = at[*plan.pool->find(dim.name)];
          n = std::clamp(n, dim.min, dim.max.value_or(n));
        }
        if (admitted(plan, phase.name, at)) sizes.push_back(at);
      }
      for (const rivals::Rule& rule : rivals::rules()) {
        const rivals::Placing placing = rule.plan(problem, hint);
        for (const Binding& at : sizes) {
          const auto placement = placing(at);
          INFO(file.path().filename().string() << ", phase " << phase.name << ", " << rule.name);
          // In whole alignments: which buffer lies on top, and so which padding is left out, is nobody's aim.
          const int64_t ours = align_up(bind_arena(plan, phase.name, at)->bytes, problem.align);
          if (placement) CHECK(align_up(placement->bytes, problem.align) >= ours);
          ++compared;
        }
      }
    }
  }
  CHECK(compared > 12 * 2 * 7 * 3);
}
