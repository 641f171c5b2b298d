// The arena of each phase beside what the placement rules of other compilers would need for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "irplan/result.h"
#include "report/report.h"

namespace irplan::report {

constexpr size_t kMostSizes = 16;  // columns of a table

// Sizes of a dim at which to compare: the first of each dim together, then the second, …
struct ChosenSizes {
  size_t dim = 0;  // in Plan::dims
  std::vector<int64_t> sizes;
};

struct Comparison {
  std::string text, json;
};

// Of the phase `only`, or of all where it is empty. Where no sizes are chosen, some over the range of each
// dim that the arena depends on.
Result<Comparison> compare(const Report& report, const std::string& only,
                           const std::vector<ChosenSizes>& chosen);

}  // namespace irplan::report
