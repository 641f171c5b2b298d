// Says of each size from --dim that was refused (E0265) what refuses it: the declared range, the op, the
// annotation or the budget that narrowed it, or a relation to other sizes.
//
// Needs the values that the solve pass assigned; for budgets over bytes also the memory plan. Adds labels to
// the diagnostics, and changes nothing of the graph.
#pragma once

#include "passes/solve.h"

namespace irplan {

void explain_refused_sizes(const Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics);

}  // namespace irplan
