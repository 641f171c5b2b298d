// Joins neighbouring ops for which there is one kernel: silu(g) * u, and a residual sum with the norm that
// reads it.
//
// Needs types and folding. Each row of the fusion table names a producer, a consumer and the fused operator;
// the consumer's op is replaced where the value between them has no other reader, or is a result of the fused
// operator as well. Values keep their ids; `parts` lists the ids of the ops that were swallowed. Numbers
// change only by one rounding less. Does not reorder ops.
#pragma once

#include "ir/graph.h"

namespace irplan {

void fuse(Graph& graph);

}  // namespace irplan
