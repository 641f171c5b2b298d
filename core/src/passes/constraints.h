// What sizes must satisfy: relations become narrower ranges where they speak of one dim, and guards where
// they speak of several.
#pragma once

#include <vector>

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

// A relation with the place that needs it.
struct Need {
  Constraint constraint;
  Span span;
  uint32_t phase;  // index, or kNoPhase for all
  bool budget = false;
  std::shared_ptr<const SourceText> elsewhere = nullptr;  // the option that needs it
};

// Settles the needs of all phases: a need of every phase holds globally, one of some phases there. Equal
// guards are one, at the first line. An empty range is reported.
void settle(Graph& graph, const std::vector<Need>& needs, Diagnostics& diagnostics);

// Terms with a minus sign moved to the other side: P + S - 8192 <= 0 becomes P + S <= 8192; >= becomes <=.
Constraint balanced(const Constraint& constraint);

// The part of `range` on which the relation holds, where it is monotone in its one dim; none where it is not.
std::optional<Interval> narrowed(const Constraint& constraint, DimIndex dim, Interval range);

}  // namespace irplan
