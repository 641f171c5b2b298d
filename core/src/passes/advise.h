// Which single change would make a missed budget fit: other options than the program's, each planned anew.
//
// Needs answered budgets. Where one is missed it tries quantised states, quantised weights and a shorter
// cache, through `probe`, and puts what they bring, with the narrower ranges that the solve pass found, into
// the budget's diagnostic: what fits first, of those the one that keeps the most of what it changes. Without
// a probe the narrower ranges alone are told. Costs nothing where every budget is met.
#pragma once

#include <functional>
#include <memory>

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

// The program with the change, as far as the solve pass; null where that cannot be planned.
using Probe = std::function<std::shared_ptr<const Graph>(const Change&)>;

void advise(Graph& graph, const Probe& probe, Diagnostics& diagnostics);

// "--let C=4096", "budget S <= 512": how a change is written.
std::string text(const Change& change);

}  // namespace irplan
