// Finds an order of ops in which less is alive.
//
// Needs the final ops, and the dims' values. An order is measured at the sizes at which the memory pass
// compares placements and at `value`: by its bytes over the least that any order is known to need at that
// size, at the worst of them. Where what must be alive around the highest op in any order accounts for the
// height of program order, or every order of the blocks that matter was weighed, programs stay as they were
// written. Else there are candidates:
//   - the baselines: program order; depth first from the last ops; list orders, always the op behind which
//   the least
//     is alive,
//   - the best of those with their blocks in the best order, at single sizes and for the worst of all
//     (schedule/blocks.h).
// The memory pass has the last word: it gives the bound of each candidate, and places the most promising
// until no other can be better. Moves window ops behind what they show.
//
//   schedule/phase_model.h   what an order does to the bytes alive
//   schedule/baselines.h     orders that need no search
//   schedule/blocks.h        the search
//   schedule/schedule.cpp    the choice
#pragma once

#include <string>

#include "ir/graph.h"

namespace irplan {

// Puts each phase into the candidate whose arena is the closest to the least, at the worst size. It may be
// above program order at one size only where it is closer to the least at another. A phase that has another
// order then keeps the program's as `written`, where that is wanted.
void schedule(Graph& graph, bool keep_written = false);

// A line for each phase: the most bytes alive at once in program order, depth first, in list order, and in
// the order that was chosen; at `value`, by this pass's reckoning.
std::string compare_orders(const Graph& written, const Graph& scheduled);

}  // namespace irplan
