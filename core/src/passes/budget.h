// Narrows what a plan admits by budgets over dims: one dim's range, or a guard over several.
//
// Needs types and settled constraints. Budgets over bytes are left to the solve pass, which knows the
// formulas by then.
#pragma once

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

// As if the program had the narrower range that `also` is, too; null: no such change.
void apply_budgets(Graph& graph, Diagnostics& diagnostics, const Change* also = nullptr);

}  // namespace irplan
