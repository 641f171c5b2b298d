// The stacking order of one phase's arena.
#pragma once

#include "passes/memory.h"

namespace irplan {

// Fills `above` of the phase's arena buffers, and the phase's peak, bound and ratio as expressions; notes in
// `graph.strength` where the order comes from a search.
void place(Graph& graph, uint32_t phase, const Effort& effort);

// Fills `above` alone: enough for the arena's bytes at any size, where orders of ops are compared.
void stack_buffers(Graph& graph, uint32_t phase);

// The sizes at which orders are compared: corners of the ranges, sizes between, all inside the guards.
std::vector<Binding> sample_sizes(const Graph& graph, uint32_t phase);

}  // namespace irplan
