// Whether there are sizes inside ranges at which relations hold, all at once: found, refuted, or not settled
// within a number of looks.
//
// Ranges are halved until a relation is refuted on a part, or one of its corners satisfies all. What it finds
// lies low: the parts of small sizes are looked at first.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace irplan {

constexpr int64_t kLargestLow = int64_t{1} << 60;  // of a range that is halved
constexpr int64_t kPartCost = 4000;  // of a look at a relation on a part of the ranges, in steps of Work

struct Admitted {
  Truth exist = Truth::Unknown;  // No is a proof
  Binding at;                    // where they exist
  int64_t parts = 0;             // of the ranges that were looked at
};

// Dims that no relation speaks of have their least size in `at`.
Admitted find_sizes(const std::vector<Constraint>& relations, const Ranges& ranges);

}  // namespace irplan
