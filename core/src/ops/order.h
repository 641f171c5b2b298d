// The order in which topk, argmax and route choose: descending, ties to the lowest index, NaN above all
// numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "ops/op.h"

namespace irplan {

inline bool above(float a, float b) { return std::isnan(a) ? !std::isnan(b) : a > b; }
inline bool above(int64_t a, int64_t b) { return a > b; }

// Indices of the k largest of n values that lie `step` elements apart.
template <class T>
std::vector<int64_t> largest(const T* values, int64_t n, int64_t step, int64_t k) {
  std::vector<int64_t> best;
  best.reserve(static_cast<size_t>(k) + 1);
  for (int64_t i = 0; i < n; ++i) {
    if (static_cast<int64_t>(best.size()) == k &&
        (k == 0 || !above(values[i * step], values[best.back() * step])))
      continue;
    auto place = best.end();
    while (place != best.begin() && above(values[i * step], values[*(place - 1) * step])) --place;
    best.insert(place, i);
    if (static_cast<int64_t>(best.size()) > k) best.pop_back();
  }
  return best;
}

// Shape rule: 1 <= k <= the last axis of operand 0.
bool k_fits(OpCall& call, Expr k);

}  // namespace irplan
