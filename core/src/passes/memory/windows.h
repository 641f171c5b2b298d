// Windows: which bytes of which buffer a value is.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace irplan {

// Removes window ops, inserts copies, and gives every value a buffer, an offset and strides; buffers get ids,
// segments, sizes and live ranges. Leaves the arena's placement open.
void assign_windows(Graph& graph);

// The concats whose operands are written straight into the result, before windows are assigned: all are
// results of ops of its phase, each used in one concat alone.
std::vector<OpId> placed_concats(const Graph& graph);

}  // namespace irplan
