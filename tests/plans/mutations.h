// All ways to break a true plan.
#pragma once

#include "plans/break_numbers.h"
#include "plans/break_records.h"

namespace irplan::plans_test {

inline const std::vector<Mutation>& mutations() {
  static const std::vector<Mutation> all = [] {
    std::vector<Mutation> out;
    for (const auto& part : {break_records(), break_types(), break_windows(), break_contents(), break_lives(),
                             break_numbers(), break_budgets()})
      out.insert(out.end(), part.begin(), part.end());
    return out;
  }();
  return all;
}

}  // namespace irplan::plans_test
