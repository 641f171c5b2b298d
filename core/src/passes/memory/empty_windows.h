// Refuses parts of a tensor that would begin outside of its bytes where a dim is 0 and the tensor is empty.
//
// Needs windows. A plan's windows lie in their buffers at every size, and an empty buffer has no byte 16.
#pragma once

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

void refuse_empty_windows(const Graph& graph, Diagnostics& diagnostics);

}  // namespace irplan
