// One random program put through everything that must hold of its plans.
#pragma once

#include <string>

#include "memory/random_program.h"

namespace irplan::memory_test {

// What is wrong, empty where nothing is; `bindings` counts the sizes at which placements were simulated.
inline std::string check_program(uint64_t seed, int64_t most_ops, int64_t sizes, int64_t& bindings) {
  Random random(seed);
  const std::string text = random_program(random, most_ops);
  const auto compiled = [&](bool keep_order) {
    CompileOptions options;
    options.keep_order = keep_order;
    return compile(SourceText("random.irplan", text), options);
  };
  const auto fault = [&](const std::string& what) {
    return "seed " + std::to_string(seed) + ": " + what + "\n" + text;
  };
  int64_t peaks[2] = {};
  for (const bool keep_order : {false, true}) {
    const Compilation done = compiled(keep_order);
    if (!done.ok)
      return fault("no plan: " + (done.diagnostics.list().empty() ? "" : done.diagnostics.list()[0].message));
    std::string why;
    const auto plan = read_plan(done.plan_json, &why);
    if (!plan) return fault("the plan is not read: " + why);
    if (const auto findings = validate_plan(*plan); !findings.empty()) return fault(findings[0]);
    peaks[keep_order] = plan->memory.peak_bytes;
    for (int64_t i = 0; i < sizes; ++i) {
      const Binding small = random_binding(*plan, random), other = random_binding(*plan, random);
      Binding large = small;
      for (size_t d = 0; d < large.size(); ++d) large[d] = std::max(large[d], other[d]);
      for (const Plan::Phase& phase : plan->phases) {
        const Simulated a = simulate(*plan, phase.name, small), b = simulate(*plan, phase.name, large);
        bindings += 2;
        if (!a.wrong.empty() || !b.wrong.empty()) return fault(a.wrong + b.wrong);
        if (a.bytes < a.bound) return fault("the arena is smaller than what lives in it");
        if (a.bytes > b.bytes) return fault("a larger size needs a smaller arena");
      }
    }
  }
  if (peaks[0] > peaks[1]) return fault("another order of ops has a higher peak than the program's");
  return "";
}

}  // namespace irplan::memory_test
