// Moves what depends on weights alone to load time (R5).
//
// Needs types. An op whose operands are all params or folded, and of whose attributes none depends on a dim,
// gets phase `load`: it runs once, when weights load, and its results are `folded`. Equal folded values of
// several phases become one; unequal ones of one id keep the phase's prefix. Load ops come first in the
// graph. Does not evaluate anything.
#pragma once

#include "ir/graph.h"

namespace irplan {

void fold(Graph& graph);

}  // namespace irplan
