// Windows: which bytes of which buffer a value is.
#pragma once

#include "ir/graph.h"

namespace irplan {

// Removes window ops, inserts copies, and gives every value a buffer, an offset and strides; buffers get ids,
// segments, sizes and live ranges. Leaves the arena's placement open.
void assign_windows(Graph& graph);

}  // namespace irplan
