// Refuses programs of which so many tensors are alive at once that placing them would take too long.
//
// Needs types and ops in program order. Says nothing of bytes: many small tensors are what it looks for.
#pragma once

#include <cstddef>

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

constexpr size_t kMaxAlive = 8000000;  // tensors alive while an op runs, added up over the ops of a phase
constexpr size_t kMaxAliveInAll = 16000000;  // likewise, over all phases

void refuse_crowds(const Graph& graph, Diagnostics& diagnostics);

}  // namespace irplan
