// What the last compilation found of a name: shapes as formulas and at the sizes of the plan, bytes, buffers,
// kernels.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/language/document.h"

namespace irplan::language {

// One value of a name, in one phase.
struct Fact {
  std::string phase;             // empty where the program declares none
  std::string type;              // "bf16[B, S, 4096]"; empty where it is no tensor
  std::string at_sizes;          // "bf16[1, 2048, 4096]"; empty where it is the same, or sizes are not known
  std::string text;              // of what is no tensor: 4096
  std::optional<int64_t> bytes;  // of the tensor, dense
  std::string home;              // where it lies, and what makes it; empty without a plan
  size_t times = 0;              // bound so often in the phase
  size_t types = 0;              // with so many types, at most Bindings::kMostTypes counted
};

// Of a name bound at a place of the text as it is now; a phase each, in their order. Phases that say the same
// are one, without a name.
// `homes`: where values lie is looked up, which takes time linear in the plan.
std::vector<Fact> facts_at(Document& document, Span name, bool homes = false);

}  // namespace irplan::language
