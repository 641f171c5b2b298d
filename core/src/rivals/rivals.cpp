#include "rivals/rivals.h"

#include <algorithm>

#include "base/sort.h"

namespace irplan::rivals {

const std::vector<Rule>& rules() {
  static const std::vector<Rule> table = {
      {"no-reuse", "without reuse", "", "each buffer has bytes of its own", false, no_reuse},
      {"upper-bound-pool", "upper bound, pool", "TVM Relax",
       "apache/tvm src/relax/transform/static_plan_block_memory.cc TokenAllocator1D, at 01cb97c8", false,
       token_pool},
      {"upper-bound-shared", "upper bound, shared objects", "ExecuTorch",
       "pytorch/executorch exir/memory_planning.py greedy, 1.5.1", false, shared_objects},
      {"greedy-by-size", "greedy by size, anew", "TFLite",
       "tensorflow/tensorflow tensorflow/lite/arena_planner.cc CreateTensorAllocationVector at 0406598a, "
       "simple_memory_arena.cc Allocate at 0e447935",
       true, greedy_by_size},
      {"traced-pattern", "best fit in order, anew", "ONNX Runtime",
       "microsoft/onnxruntime onnxruntime/core/framework/mem_pattern_planner.h TraceAllocation, at 00ca1689",
       true, traced_pattern},
      {"equal-sizes", "only equal sizes share", "IREE",
       "iree-org/iree compiler/src/iree/compiler/Dialect/Stream/Transforms/LayoutSlices.cpp "
       "packDynamicSlicesConservatively, at 0ca4f62a",
       false, equal_sizes},
      {"allocation-tree", "allocation tree", "Inductor",
       "pytorch/pytorch torch/_inductor/codegen/memory_planning.py TemporalSplit, SpatialSplit, 2.13", false,
       allocation_tree},
  };
  return table;
}

Problem problem_of(const Plan& plan, const Plan::Phase& phase) {
  Problem out;
  out.dims = plan.pool;
  out.align = std::max<int64_t>(1, plan.align);
  std::vector<DType> dtypes(plan.buffers.size(), DType::I8);
  for (size_t i = plan.values.size(); i-- > 0;) {
    const Plan::Value& v = plan.values[i];
    if (v.buffer < plan.buffers.size()) dtypes[v.buffer] = v.dtype;
  }
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Plan::Buffer& b = plan.buffers[i];
    if (b.segment != Plan::Segment::Arena || b.phase != phase.name || b.live_end <= b.live_begin) continue;
    out.buffers.push_back({b.bytes, b.live_begin, b.live_end, dtypes[i]});
  }
  sort_range(out.buffers.begin(), out.buffers.end(),
             [](const Buffer& a, const Buffer& b) { return a.begin < b.begin; });
  for (const Plan::Dim& dim : plan.dims) out.most.push_back(dim.max);
  for (const Plan::PhaseDim& dim : phase.dims) {
    const auto index = plan.pool->find(dim.name);
    if (index && *index < out.most.size()) out.most[*index] = dim.max;
  }
  return out;
}

std::optional<Sizes> sizes_at(const Problem& problem, const Binding& binding) {
  Evaluator value(*problem.dims, binding);
  const int64_t most = INT64_MAX / 4 / static_cast<int64_t>(problem.buffers.size() + 1) - problem.align;
  Sizes out;
  out.reserve(problem.buffers.size());
  for (const Buffer& b : problem.buffers) {
    const auto bytes = value(b.bytes);
    if (!bytes || *bytes < 0 || *bytes > most) return std::nullopt;
    out.push_back(*bytes);
  }
  return out;
}

std::vector<Expr> at_upper_bounds(const Problem& problem) {
  std::vector<Expr> out;
  out.reserve(problem.buffers.size());
  for (const Buffer& b : problem.buffers) {
    Expr bytes = b.bytes;
    for (const DimIndex dim : dims_of(b.bytes)) {
      if (dim < problem.most.size() && problem.most[dim])
        bytes = problem.dims->substitute(bytes, dim, problem.dims->constant(*problem.most[dim]));
    }
    out.push_back(bytes);
  }
  return out;
}

Placing always(std::optional<Placement> placement) {
  return [placement = std::move(placement)](const Binding&) { return placement; };
}

std::optional<int64_t> lower_bound(const Problem& problem, const Binding& binding) {
  const auto sizes = sizes_at(problem, binding);
  if (!sizes) return std::nullopt;
  std::vector<std::pair<uint32_t, size_t>> ends;  // a heap, the earliest end on top
  const auto later = std::greater<std::pair<uint32_t, size_t>>();
  int64_t live = 0, bound = 0;
  for (size_t i = 0; i < problem.buffers.size();) {
    const uint32_t step = problem.buffers[i].begin;
    while (!ends.empty() && ends.front().first <= step) {
      live -= align_up((*sizes)[ends.front().second], problem.align);
      std::pop_heap(ends.begin(), ends.end(), later);
      ends.pop_back();
    }
    for (; i < problem.buffers.size() && problem.buffers[i].begin == step; ++i) {
      live += align_up((*sizes)[i], problem.align);
      ends.emplace_back(problem.buffers[i].end, i);
      std::push_heap(ends.begin(), ends.end(), later);
    }
    // The buffer that lies highest needs no padding; at best it is the one with the most.
    int64_t padding = 0;
    for (const auto& [end, b] : ends)
      padding = std::max(padding, align_up((*sizes)[b], problem.align) - (*sizes)[b]);
    bound = std::max(bound, live - padding);
  }
  return bound;
}

Placing no_reuse(const Problem& problem, const Binding&) {
  return [&problem](const Binding& binding) -> std::optional<Placement> {
    const auto sizes = sizes_at(problem, binding);
    if (!sizes) return std::nullopt;
    Placement out;
    int64_t top = 0;
    for (const int64_t bytes : *sizes) {
      out.offsets.push_back(top);
      out.bytes = top + bytes;
      top += align_up(bytes, problem.align);
    }
    return out;
  };
}

}  // namespace irplan::rivals
