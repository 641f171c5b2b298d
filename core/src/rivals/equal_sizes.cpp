// Only buffers whose symbolic sizes are provably equal share memory.
//
// iree-org/iree, compiler/src/iree/compiler/Dialect/Stream/Transforms/LayoutSlices.cpp
// packStaticSlicesGreedily and packDynamicSlicesConservatively (at commit 0ca4f62a). Buffers of constant size
// are packed first, best fit in the order of the program. The others fall into classes of equal size
// expressions; in a class each takes the first bin in which nothing is alive with it, and all bins of all
// classes stand one above the other.
#include <algorithm>

#include "rivals/rivals.h"

namespace irplan::rivals {
namespace {

using Index = uint32_t;  // of a buffer

struct Bin {
  Expr bytes;
  std::vector<Index> inside;
};

// Best fit of the constant sizes; the bytes up to which they reach.
int64_t place_constants(const Problem& problem, std::vector<int64_t>& offsets) {
  std::vector<Index> placed;  // by offset
  int64_t height = 0;
  for (Index b = 0; b < problem.buffers.size(); ++b) {
    if (!problem.buffers[b].bytes.is_constant()) continue;
    const int64_t bytes = align_up(problem.buffers[b].bytes.constant(), problem.align);
    int64_t best = -1, smallest = INT64_MAX, top = 0;
    for (const Index other : placed) {
      if (!meet(problem.buffers[other], problem.buffers[b])) continue;
      const int64_t gap = offsets[other] - top;
      if (gap >= bytes && gap < smallest) best = top, smallest = gap;
      top = std::max(top, offsets[other] + align_up(problem.buffers[other].bytes.constant(), problem.align));
    }
    offsets[b] = best >= 0 ? best : top;
    height = std::max(height, offsets[b] + bytes);
    const auto at = std::upper_bound(placed.begin(), placed.end(), b,
                                     [&](Index x, Index y) { return offsets[x] < offsets[y]; });
    placed.insert(at, b);
  }
  return height;
}

// The bins of a class stand together, and classes in the order in which they first appear.
std::vector<Bin> bins_of(const Problem& problem) {
  std::vector<std::vector<Bin>> classes;
  for (Index b = 0; b < problem.buffers.size(); ++b) {
    const Buffer& buffer = problem.buffers[b];
    if (buffer.bytes.is_constant()) continue;
    auto same = std::find_if(classes.begin(), classes.end(),
                             [&](const auto& bins) { return bins.front().bytes == buffer.bytes; });
    if (same == classes.end()) {
      classes.push_back({Bin{buffer.bytes, {b}}});
      continue;
    }
    const auto bin = std::find_if(same->begin(), same->end(), [&](const Bin& candidate) {
      return std::none_of(candidate.inside.begin(), candidate.inside.end(),
                          [&](Index other) { return meet(problem.buffers[other], buffer); });
    });
    if (bin == same->end()) {
      same->push_back({buffer.bytes, {b}});
    } else {
      bin->inside.push_back(b);
    }
  }
  std::vector<Bin> out;
  for (auto& bins : classes) out.insert(out.end(), bins.begin(), bins.end());
  return out;
}

}  // namespace

Placing equal_sizes(const Problem& problem, const Binding&) {
  return [&problem, bins = bins_of(problem)](const Binding& binding) -> std::optional<Placement> {
    const auto sizes = sizes_at(problem, binding);
    if (!sizes) return std::nullopt;
    Placement out;
    out.offsets.assign(sizes->size(), 0);
    out.bytes = place_constants(problem, out.offsets);
    for (const Bin& bin : bins) {
      for (const Index b : bin.inside) out.offsets[b] = out.bytes;
      out.bytes += align_up((*sizes)[bin.inside.front()], problem.align);
    }
    return out;
  };
}

}  // namespace irplan::rivals
