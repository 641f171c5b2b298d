// The same program with a change that a plan alone cannot tell of, planned: shorter caches, beside
// Plan::Memory::lighter.
#pragma once

#include <vector>

#include "irplan/compile.h"
#include "plan/plan.h"

namespace irplan {

// Half of the rows of each cache, at the sizes of the plan as it stands; what does not lower the memory is
// left out. Compiles the program once for each.
std::vector<Plan::Lighter> shorter_caches(const Compilation& compilation, const CompileOptions& options);

}  // namespace irplan
