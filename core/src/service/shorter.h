// The same program with a change that a plan alone cannot tell of, planned: shorter caches (beside
// Plan::Memory::lighter), and ops in the order that they are written in.
#pragma once

#include <optional>
#include <vector>

#include "irplan/compile.h"
#include "plan/plan.h"

namespace irplan {

// Half of the rows of each cache, at the sizes of the plan as it stands; what does not lower the memory is
// left out. Compiles the program once for each.
std::vector<Plan::Lighter> shorter_caches(const Compilation& compilation, const CompileOptions& options);

// Bytes of the arena where ops run as they are written, at the sizes of the plan as it stands: what the order
// of least memory is worth. None where that cannot be planned. Compiles the program once, if its order
// changed.
std::optional<int64_t> arena_as_written(const Compilation& compilation, const CompileOptions& options);

}  // namespace irplan
