// Finds an order of ops in which less is alive at once.
//
// Needs the final ops, and the dims' values. Sizes are looked at one by one: `value`, the least, one between
// and the largest. Where what must be alive around the highest op in any order already accounts for the
// height of program order at all of them, programs stay as they were written. Else there are candidates:
//   - the phase cut where all that crosses comes from one op; between two cuts every order that the operands
//     admit is weighed (a search over sets of ops already run, under a limit of sets), identical stretches
//     once, and only stretches that are higher than the best of any other are touched,
//   - depth first from the last ops,
//   - a list order: always the op behind which the least is alive.
// Those that are lower by their own reckoning go to the memory pass, which has the last word. Moves window
// ops behind what they show.
#pragma once

#include <string>

#include "ir/graph.h"

namespace irplan {

// Puts each phase into the candidate whose arena is the closest to the least of any candidate, at the worst
// of the sizes at which the memory pass compares placements. Guarantees an arena that is lower than in
// program order at one of these sizes or at `value`, and higher at none of them; else the order stays.
void schedule(Graph& graph);

// A line for each phase: the most bytes alive at once in program order, depth first, in list order, and in
// the order that was chosen; at `value`, by this pass's reckoning.
std::string compare_orders(const Graph& written, const Graph& scheduled);

}  // namespace irplan
