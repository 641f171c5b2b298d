// What differs between two plans, by what they mean and not by their text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace irplan {

struct PlanChange {
  std::string part;   // of plan.json: "ops", "memory_plan"
  std::string name;   // the record's id; empty where the part is one record
  std::string field;  // "kernel", "segments.arena"; empty where the whole record came or went
  std::optional<std::string> before, after;
  std::optional<int64_t> more_bytes;  // after - before, of plain byte counts
};

// Memory first, then what it follows from; empty where the plans mean the same. Producer, source, lines and
// diagnostics do not count.
std::vector<PlanChange> compare_plans(const Plan& a, const Plan& b);
// For people: a line for each change, one for what all layers have in common, the first few of each part.
// Empty where there is none.
std::string diff_plans(const Plan& a, const Plan& b);
// A JSON list of {"part", "name", "field", "before", "after"}, all of them.
std::string diff_plans_json(const Plan& a, const Plan& b);

}  // namespace irplan
