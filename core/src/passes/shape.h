// Finds the type of every value and what sizes must satisfy for the shapes to agree.
//
// Needs a graph from elaboration. Runs each op's shape rule in program order, decides which states are rings
// (R6), and collects the relations that ranges cannot decide: over one dim they narrow its range, over
// several they become guards. Guarantees that every value has a type or is poisoned with an error reported,
// and that no extent falls as a dim rises. Sets flops and bytes.
#pragma once

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

void infer_shapes(Graph& graph, Diagnostics& diagnostics);

// A type as a phase sees it: dims that the phase fixes are replaced by their size.
TensorType in_phase(const TensorType& type, const Graph& graph, uint32_t phase);

// The call of an op over the types of its operands, ready for its rules (shape, flops, bytes). `rows` of a
// ring go with it.
OpCall call_of(const Graph& graph, const Op& op, const Ranges& ranges);

}  // namespace irplan
