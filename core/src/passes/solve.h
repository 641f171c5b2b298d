// Picks the sizes at which a plan's plain numbers hold, and answers budgets over bytes from the planned
// formulas.
//
// assign_values needs ranges and guards. Dims take their values in their order: each the largest (a free one
// at most 4096) at which ranges, guards and budgets can still hold with the later dims at their least; in a
// phase likewise within its range. solve_budgets needs the memory plan: it narrows the values by budgets over
// bytes, warns where a budget admits less than the declared ranges (W0401), refuses one that the smallest
// sizes break (E0401), and finds the largest value of each dim.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

constexpr int64_t kAssumedSize = 4096;  // the value of a free dim that nobody bounded or bound

using FixedDims = std::vector<std::pair<std::string, int64_t>>;  // --dim NAME=N

void assign_values(Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics);
void solve_budgets(Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics);

// Bytes of each segment at a binding; the arena's is that of the phase.
struct SegmentBytes {
  int64_t weights = 0, state = 0, inputs = 0, arena = 0;
  int64_t sum() const { return weights + state + inputs + arena; }
};
std::optional<SegmentBytes> segment_bytes(const Graph& graph, uint32_t phase, const Binding& binding);

// A phase's own binding for global sizes: dims that it fixes or narrows are brought into its range.
Binding binding_in(const Graph& graph, uint32_t phase, Binding binding);

// "79.68 GiB", "512 B": three or more significant digits, binary units.
std::string bytes_text(int64_t bytes);

}  // namespace irplan
