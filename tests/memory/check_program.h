// One random program put through everything that must hold of its plans.
#pragma once

#include <algorithm>
#include <string>

#include "memory/check_numbers.h"
#include "memory/check_packing.h"
#include "memory/measured.h"
#include "memory/random_program.h"

namespace irplan::memory_test {

constexpr int64_t kMostExecuted = 40;  // ops of a program whose plans are executed as well

// The largest sum of live bytes, each rounded up to the alignment but for one, whichever is best.
inline int64_t padded_bound(const Plan& plan, const std::string& phase, const Binding& binding) {
  int64_t most = 0;
  uint32_t steps = 0;
  for (const Plan::Buffer& b : plan.buffers) steps = std::max(steps, b.live_end);
  for (uint32_t s = 0; s < steps; ++s) {
    int64_t sum = 0, padding = INT64_MAX;
    for (const Plan::Buffer& b : plan.buffers) {
      if (b.segment != Plan::Segment::Arena || b.phase != phase || b.live_begin > s || b.live_end <= s)
        continue;
      const int64_t bytes = *evaluate(b.bytes, binding), align = plan.align;
      const int64_t round = (bytes + align - 1) / align * align;
      sum += round;
      padding = std::min(padding, round - bytes);
    }
    if (sum > 0) most = std::max(most, sum - padding);
  }
  return most;
}

// What was looked at, for who wants to know how much and how good.
struct Tally {
  int64_t bindings = 0;                  // sizes at which placements were simulated
  int64_t packed = 0;                    // instances of the packer
  int64_t executed = 0;                  // programs whose plans were run, every operand looked at
  int64_t plans = 0, proven = 0;         // proven: the arena meets the bound at every size
  int64_t at_bound = 0, within[3] = {};  // of the worst ratio: 1.00; up to 1.02, 1.05, 1.10
  double worst = 1.0;                    // ratio of all

  void add(const Plan& plan) {
    const double ratio = plan.memory.range.worst_ratio;
    ++plans;
    proven += plan.memory.range.proven;
    at_bound += ratio <= 1.0;
    within[0] += ratio <= 1.02, within[1] += ratio <= 1.05, within[2] += ratio <= 1.10;
    worst = std::max(worst, ratio);
  }
  void add(const Tally& other) {
    bindings += other.bindings, packed += other.packed, executed += other.executed;
    plans += other.plans, proven += other.proven;
    at_bound += other.at_bound, worst = std::max(worst, other.worst);
    for (int i = 0; i < 3; ++i) within[i] += other.within[i];
  }
};

// The features of a seed's program: a third has phases, a third of those and of the others lets.
inline Features features_of(uint64_t seed) { return {seed / 3 % 3 == 1, seed / 9 % 3 == 1}; }

// The placements of a phase at random sizes; empty where nothing is wrong.
inline std::string check_placements(const Plan& plan, const Plan::Phase& phase, int64_t sizes, Random& random,
                                    Tally& tally) {
  for (int64_t i = 0; i < sizes; ++i) {
    const Binding small = random_binding(plan, phase, random), other = random_binding(plan, phase, random);
    Binding large = small;
    for (size_t d = 0; d < large.size(); ++d) large[d] = std::max(large[d], other[d]);
    const Simulated a = simulate(plan, phase.name, small), b = simulate(plan, phase.name, large);
    tally.bindings += 2;
    if (!a.wrong.empty() || !b.wrong.empty()) return a.wrong + b.wrong;
    if (a.bytes < a.bound) return "the arena is smaller than what lives in it";
    if (plan.memory.range.proven && a.bytes > padded_bound(plan, phase.name, small))
      return "the arena is above the bound that is proven to be met";
    if (a.bytes > b.bytes) return "a larger size needs a smaller arena";
  }
  return "";
}

// What is wrong, empty where nothing is.
inline std::string check_program(uint64_t seed, int64_t most_ops, int64_t sizes, Tally& tally) {
  Random random(seed);
  const std::string text = random_program(random, most_ops, features_of(seed));
  // Searches are for the small programs, of which there are most.
  const std::string strength = most_ops <= 40 && seed % 3 == 0 ? "limited" : "portfolio";
  const auto compiled = [&](bool keep_order) {
    CompileOptions options;
    options.keep_order = keep_order;
    options.strength = strength;
    return compile(SourceText("random.irplan", text), options);
  };
  const auto fault = [&](const std::string& what) {
    return "seed " + std::to_string(seed) + ": " + what + "\n" + text;
  };
  std::vector<std::vector<Measured>> orders;  // by phase
  std::vector<Plan> plans;
  for (const bool keep_order : {false, true}) {
    const Compilation done = compiled(keep_order);
    if (!done.ok)
      return fault("no plan: " + (done.diagnostics.list().empty() ? "" : done.diagnostics.list()[0].message));
    const auto plan = read_plan(done.plan_json);
    if (!plan) return fault("the plan is not read: " + plan.message());
    if (const auto findings = validate_plan(*plan); !findings.empty()) return fault(findings[0]);
    plans.push_back(*plan);
    auto& by_phase = orders.emplace_back();
    if (!keep_order) tally.add(*plan);
    for (const Plan::Phase& phase : plan->phases) {
      by_phase.push_back(measured(*done.graph, static_cast<uint32_t>(by_phase.size())));
      const int64_t each = (sizes + 1) / static_cast<int64_t>(plan->phases.size());
      if (std::string wrong = check_placements(*plan, phase, each, random, tally); !wrong.empty())
        return fault(phase.name + ": " + wrong);
    }
  }
  for (size_t p = 0; p < plans[0].phases.size(); ++p) {
    if (strength == "portfolio" && dominates(orders[1][p], orders[0][p]))
      return fault("the program's own order needs less at one size, and more at none");
  }
  if (most_ops > kMostExecuted) return "";
  for (const Plan::Phase& phase : plans[0].phases) {
    const std::string wrong =
        check_numbers(plans[0], plans[1], phase.name, small_step(plans[0], phase, random));
    if (!wrong.empty()) return fault(phase.name + ": " + wrong);
  }
  ++tally.executed;
  return "";
}

}  // namespace irplan::memory_test
