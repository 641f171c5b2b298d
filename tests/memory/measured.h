// What orders of ops are compared by: the arena at each size that is looked at, over the least that any order
// needs.
#pragma once

#include <algorithm>
#include <vector>

#include "passes/memory.h"
#include "passes/memory/place.h"

namespace irplan::memory_test {

struct Measured {
  std::vector<int64_t> arenas, bounds;  // by size, rounded up to the alignment
};

inline Measured measured(const Graph& graph, uint32_t phase = 0) {
  std::vector<Binding> sizes = sample_sizes(graph, phase);
  sizes.push_back(graph.values_at(phase));
  Measured out;
  const int64_t align = graph.target.align;
  for (const Binding& size : sizes) {
    out.arenas.push_back((arena_bytes(graph, phase, size) + align - 1) / align * align);
    out.bounds.push_back(padded_bound_bytes(graph, phase, size));
  }
  return out;
}

inline std::vector<int64_t> least_of(const std::vector<Measured>& all) {
  std::vector<int64_t> least = all[0].bounds;
  for (const Measured& one : all) {
    for (size_t k = 0; k < least.size(); ++k) least[k] = std::min(least[k], one.bounds[k]);
  }
  return least;
}

inline double worst_ratio(const Measured& one, const std::vector<int64_t>& least) {
  double most = 1.0;
  for (size_t k = 0; k < least.size(); ++k)
    most = std::max(most,
                    static_cast<double>(one.arenas[k]) / static_cast<double>(std::max<int64_t>(least[k], 1)));
  return most;
}

// Whether one needs less than the other at a size, and more at none.
inline bool dominates(const Measured& one, const Measured& other) {
  bool less = false;
  for (size_t k = 0; k < one.arenas.size(); ++k) {
    if (one.arenas[k] > other.arenas[k]) return false;
    less = less || one.arenas[k] < other.arenas[k];
  }
  return less;
}

}  // namespace irplan::memory_test
