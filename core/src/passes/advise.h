// Which single change would make a missed budget fit: other options than the program's, each planned anew.
//
// Needs answered budgets. Where one is missed it tries the narrower ranges that the solve pass found,
// quantised states, quantised weights and a shorter cache, through `probe`, and puts what they bring into the
// budget's diagnostic: what fits first, of those the one that keeps the most of what it changes. A range is
// told by the end with which the program so planned fits, and with one more does not. Without a probe the
// narrower ranges alone are told, as this plan's formulas have them. Costs nothing where every budget is met.
#pragma once

#include <functional>
#include <memory>

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

// The program with a change, and with a dim's narrower range, as far as the solve pass; null where that
// cannot be planned. Null for what is not changed.
using Probe = std::function<std::shared_ptr<const Graph>(const Change* change, const Change* narrower)>;

void advise(Graph& graph, const Probe& probe, Diagnostics& diagnostics);

// "--let C=4096", "budget S <= 512": how a change is written.
std::string text(const Change& change);

}  // namespace irplan
