// What the numbers of an array are like.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/op.h"

namespace irplan {

struct Statistics {
  int64_t count = 0;
  int64_t nan = 0, infinite = 0;
  // Of the finite numbers; 0 where there are none.
  double least = 0, largest = 0, mean = 0, deviation = 0;

  int64_t finite() const { return count - nan - infinite; }
};
Statistics statistics(const HostArray& array);

// How many finite numbers lie in each of `bins` equal parts of [least, largest]; the last part has its end.
std::vector<int64_t> histogram(const HostArray& array, const Statistics& of, int bins);

}  // namespace irplan
