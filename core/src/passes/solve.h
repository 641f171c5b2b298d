// Picks the sizes at which a plan's plain numbers hold, and answers budgets over bytes from the planned
// formulas.
//
// assign_values needs ranges and guards. Dims take their values in their order: each the largest (a free one
// at most 4096) at which ranges, guards and budgets can still hold with the later dims at their least; in a
// phase likewise within its range. solve_budgets needs the memory plan: it narrows the values by budgets over
// bytes, warns where a budget admits less than the declared ranges (W0401), refuses one that the smallest
// sizes break (E0401), and answers both ways: the largest value of each dim, the least that fits under no
// placement of this order of ops, frontiers of two dims, and the narrower range of a dim that would fit.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

constexpr int64_t kAssumedSize = 4096;  // the value of a free dim that nobody bounded or bound

constexpr int64_t kFarthest = int64_t{1} << 40;  // no size is looked for beyond it

using FixedDims = std::vector<std::pair<std::string, int64_t>>;  // --dim NAME=N

void assign_values(Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics);
void solve_budgets(Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics);

}  // namespace irplan
