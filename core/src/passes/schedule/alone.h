// One phase of a graph as a graph of its own: what it costs to plan is no longer that of the whole program.
//
// Holds the ops of the phase, those that run when weights load, and the values that they name; all phases
// stay in their places, the others without ops. Windows, buffers and placements of the phase come out as in
// the whole, since values keep their order.
#pragma once

#include "ir/graph.h"

namespace irplan::scheduling {

Graph alone(const Graph& graph, uint32_t phase);

}  // namespace irplan::scheduling
