// Finds an order of ops in which less is alive at once.
//
// Needs the final ops, and the dims' values. A phase is cut where all that crosses comes from one op; between
// two cuts every order that the operands admit is weighed (a search over sets of ops already run, under a
// limit of sets), identical stretches once. Only stretches that are higher than the best of any other are
// touched, so that programs stay as they were written where that costs nothing. Guarantees an order of the
// same ops that is better by its own reckoning at `value`; the memory pass has the last word. Moves window
// ops behind what they show.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace irplan {

// The ops of a phase in the order in which they should run; empty where program order is as good.
std::vector<OpId> better_order(const Graph& graph, uint32_t phase);

// Puts the ops of a phase into an order that `better_order` gave.
void reorder(Graph& graph, uint32_t phase, const std::vector<OpId>& order);

// Puts each phase into its better order where the memory pass, asked for both, reaches a lower peak at
// `value` and a higher one at none of the sizes at which it compares placements.
void schedule(Graph& graph);

// A line for each phase: the most bytes alive at once in program order, depth first, in list order (always
// the op that leaves the least alive), and in the order that was chosen; at `value`, by this pass's
// reckoning.
std::string compare_orders(const Graph& written, const Graph& scheduled);

}  // namespace irplan
