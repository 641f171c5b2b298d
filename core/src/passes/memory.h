// Decides where every value lies: its window on a buffer, and one stacking order of the buffers for all
// sizes.
//
// Needs types, and ops in execution order. Views, slices, splits and concats become windows where strides can
// say so, copies are inserted where a kernel needs dense rows, results are placed over operands that die,
// states are updated where they lie. Then the arena's buffers of each phase get a stacking order: for every
// two that are alive together, which lies below. An offset is the largest end of what lies below, so the
// placement is valid at every size, and bigger sizes never need less. Guarantees what a plan says of `live`,
// `above`, `peak` and `lower_bound`. Does not move ops.
//
//        offset                          above(c) = {a, b}
//          ^      +-----c-----+          offset(c) = max(end(a), end(b)), each end rounded up to `align`
//          |  +--a--+ +--b--+
//          +--------------------> step
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ir/graph.h"
#include "irplan/pack.h"

namespace irplan {

// How hard the placement is searched for where no fast one meets the bound at every size looked at; by
// default shortly, and only where one is more than 2% above it.
struct Effort {
  Strength strength = Strength::Portfolio;
  std::function<bool(const PackProgress&)> progress;  // as in PackOptions
};

// Sets `graph.strength` to what found the placement.
void plan_memory(Graph& graph, const Effort& effort = {});

// Sets the plain numbers of every phase again, at the dims' values.
void measure_memory(Graph& graph);

// Bytes of a phase's arena, and the largest sum of live bytes, at a binding; -1 where a size has no value
// there.
int64_t arena_bytes(const Graph& graph, uint32_t phase, const Binding& binding);
int64_t lower_bound_bytes(const Graph& graph, uint32_t phase, const Binding& binding);
// The bound with every size rounded up to the alignment: alignment padding is not counted against a
// placement.
int64_t padded_bound_bytes(const Graph& graph, uint32_t phase, const Binding& binding);
// The first op at which the most bytes are alive; kNone in a phase without ops.
OpId peak_op(const Graph& graph, uint32_t phase, const Binding& binding);
// Bytes from the arena's start, by buffer; 0 for buffers of other segments and phases.
std::vector<int64_t> arena_offsets(const Graph& graph, uint32_t phase, const Binding& binding);

}  // namespace irplan
