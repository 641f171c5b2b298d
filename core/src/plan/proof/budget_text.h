// A budget's text, "memory <= 24GiB" or "decode.B * S <= 8192", read again: what it counts and limits. A text
// that names what a plan does not know (a `let`, a config key, a function) is read as far as it goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plan/plan.h"

namespace irplan::proof {

// A side of the comparison: segments, each so often, and a rest over dims.
struct BudgetSide {
  Plan::Segments counts;
  Expr rest;
};

struct BudgetText {
  Relation relation = Relation::LessEqual;
  std::optional<BudgetSide> left, right;  // none where it names what a plan does not know
  std::string phase;                      // that it names; empty: none
  bool bytes = false;                     // it names a segment, or `memory`
};

// None where it is no comparison.
std::optional<BudgetText> read_budget(std::string_view text, const Plan& plan);

}  // namespace irplan::proof
