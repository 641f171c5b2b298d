// What would lower a plan's memory, at the sizes of its plain numbers: half of a dim, states or weights in
// fewer bits. From the planned formulas; a test plans each.
//
// Needs the memory plan, values of dims, and the marks of `mark_retypable`: the arena does not change with
// what `--retype` may take.
#pragma once

#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace irplan {

// The lightest first; what saves less than a hundredth of the memory is left out.
std::vector<Plan::Lighter> lighter(const Graph& graph);

}  // namespace irplan
