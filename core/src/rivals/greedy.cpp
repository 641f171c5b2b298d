// Best fit at known sizes, planned anew when they change: two sequences in which buffers are looked at.
//
// By size: tensorflow/tensorflow, tensorflow/lite/arena_planner.cc CreateTensorAllocationVector and
// simple_memory_arena.cc Allocate (at commits 0406598a and 0e447935). The largest first, equal ones in the
// order of their first step; each into the smallest gap that holds it among those placed that are alive with
// it, else above them all. The same rule is in
// tensorflow/lite/delegates/gpu/common/memory_management/greedy_by_size_assignment.cc (Pisarchyk, Lee:
// Efficient Memory Management for Deep Neural Net Inference, 2020).
//
// As traced: microsoft/onnxruntime, onnxruntime/core/framework/mem_pattern_planner.h TraceAllocation and
// TraceFree (at commit 00ca1689). One run's allocations and frees in their order; each allocation goes into
// the gap that wastes the least among the blocks held at that moment, else behind the last one. Blocks are
// rounded up.
#include <algorithm>
#include <numeric>

#include "base/sort.h"
#include "rivals/rivals.h"

namespace irplan::rivals {
namespace {

using Index = uint32_t;  // of a buffer

Placement by_size(const Problem& problem, const Sizes& sizes) {
  const std::vector<Buffer>& buffers = problem.buffers;
  std::vector<Index> sequence(buffers.size());
  std::iota(sequence.begin(), sequence.end(), 0);
  sort_range(sequence.begin(), sequence.end(), [&](Index a, Index b) { return sizes[a] > sizes[b]; });
  Placement out;
  out.offsets.assign(buffers.size(), 0);
  std::vector<Index> placed;  // by offset
  for (const Index b : sequence) {
    if (sizes[b] == 0) continue;
    int64_t best = -1, smallest = INT64_MAX, top = 0;
    for (const Index other : placed) {
      if (!meet(buffers[other], buffers[b])) continue;
      const int64_t from = align_up(top, problem.align), gap = out.offsets[other] - from;
      if (gap >= sizes[b] && gap < smallest) best = from, smallest = gap;
      top = std::max(top, out.offsets[other] + sizes[other]);
    }
    out.offsets[b] = best >= 0 ? best : align_up(top, problem.align);
    out.bytes = std::max(out.bytes, out.offsets[b] + sizes[b]);
    const auto at = std::upper_bound(placed.begin(), placed.end(), b,
                                     [&](Index x, Index y) { return out.offsets[x] < out.offsets[y]; });
    placed.insert(at, b);
  }
  return out;
}

Placement as_traced(const Problem& problem, const Sizes& sizes) {
  const std::vector<Buffer>& buffers = problem.buffers;
  Placement out;
  out.offsets.assign(buffers.size(), 0);
  std::vector<Index> held;  // by offset
  for (Index b = 0; b < buffers.size(); ++b) {
    std::erase_if(held, [&](Index other) { return buffers[other].end <= buffers[b].begin; });
    const int64_t bytes = align_up(sizes[b], problem.align);
    if (bytes == 0) continue;
    size_t before = held.size();
    int64_t top = 0, waste = INT64_MAX;
    for (size_t i = 0; i < held.size(); ++i) {
      const int64_t gap = out.offsets[held[i]] - top;
      if (gap >= bytes && gap - bytes < waste) before = i, waste = gap - bytes, out.offsets[b] = top;
      top = out.offsets[held[i]] + align_up(sizes[held[i]], problem.align);
    }
    if (before == held.size()) out.offsets[b] = top;
    out.bytes = std::max(out.bytes, out.offsets[b] + bytes);
    held.insert(held.begin() + static_cast<ptrdiff_t>(before), b);
  }
  return out;
}

Placing anew(const Problem& problem, Placement (*place)(const Problem&, const Sizes&)) {
  return [&problem, place](const Binding& binding) -> std::optional<Placement> {
    const auto sizes = sizes_at(problem, binding);
    if (!sizes) return std::nullopt;
    return place(problem, *sizes);
  };
}

}  // namespace

Placing greedy_by_size(const Problem& problem, const Binding&) { return anew(problem, by_size); }
Placing traced_pattern(const Problem& problem, const Binding&) { return anew(problem, as_traced); }

}  // namespace irplan::rivals
