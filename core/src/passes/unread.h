// Tells of what a program computes, keeps or takes in for nobody, and of a program without any result.
//
// Needs the flat graph without errors, before ops are folded or fused. A statement counts as unread where
// none of its runs, in no round, call or phase, has a result that an op or an output reads; an `append` is
// read through its state. Changes nothing.
#pragma once

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

void tell_unread(const Graph& graph, Diagnostics& diagnostics);

}  // namespace irplan
