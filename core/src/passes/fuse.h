// Joins neighbouring ops for which there is one kernel: silu(g) * u, and a residual sum with the norm that
// reads it.
//
// Needs types and folding. Each fused row of the operator table names a producer and a consumer; the
// consumer's op is replaced where the value between them has no other reader, or is a result of the fused
// operator as well. Values keep their ids; `parts` lists the ids of the ops that were swallowed. Numbers
// do not change: a fused op rounds where its parts do. Does not reorder ops.
#pragma once

#include "ir/graph.h"

namespace irplan {

void fuse(Graph& graph);

}  // namespace irplan
