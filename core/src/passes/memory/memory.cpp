#include "passes/memory.h"

#include <algorithm>

#include "base/bytes.h"
#include "passes/memory/place.h"
#include "passes/memory/windows.h"

namespace irplan {
namespace {

// Offsets by one pass over `above`, buffers below first; the arena's bytes, or -1.
int64_t stack(const Graph& graph, uint32_t phase, const Binding& binding, std::vector<int64_t>& offsets) {
  Evaluator value(*graph.dims, binding);
  offsets.assign(graph.buffers.size(), -1);
  const int64_t align = graph.target.align;
  int64_t peak = 0;
  std::vector<BufferId> todo;
  for (BufferId first = 0; first < graph.buffers.size(); ++first) {
    if (graph.buffers[first].segment != Segment::Arena || graph.buffers[first].phase != phase ||
        offsets[first] >= 0)
      continue;
    todo.push_back(first);
    while (!todo.empty()) {
      const BufferId id = todo.back();
      const Buffer& buffer = graph.buffers[id];
      int64_t at = 0;
      bool ready = true;
      for (const BufferId below : buffer.above) {
        if (offsets[below] < 0) {
          todo.push_back(below);
          ready = false;
        } else if (ready) {
          const auto bytes = value(graph.buffers[below].bytes);
          if (!bytes || *bytes > INT64_MAX / 2 || offsets[below] > INT64_MAX / 2 - align) return -1;
          at = std::max(at, align_up(offsets[below] + *bytes, align));
        }
      }
      if (!ready) continue;
      todo.pop_back();
      const auto bytes = value(buffer.bytes);
      if (!bytes || at > INT64_MAX - *bytes) return -1;
      offsets[id] = at;
      peak = std::max(peak, at + *bytes);
    }
  }
  for (int64_t& offset : offsets) offset = std::max<int64_t>(offset, 0);
  return peak;
}

// The largest sum of live bytes, each rounded up to `align`, and the first op at which it stands.
int64_t live_bytes(const Graph& graph, uint32_t phase, const Binding& binding, OpId* at, int64_t align = 1) {
  Evaluator value(*graph.dims, binding);
  const Phase& p = graph.phases[phase];
  std::vector<int64_t> change(p.ops_end - p.ops_begin + 1, 0);
  for (const Buffer& buffer : graph.buffers) {
    if (buffer.segment != Segment::Arena || buffer.phase != phase || buffer.live_end <= buffer.live_begin)
      continue;
    const auto bytes = value(buffer.bytes);
    if (!bytes) return -1;
    change[buffer.live_begin - p.ops_begin] += align_up(*bytes, align);
    change[buffer.live_end - p.ops_begin] -= align_up(*bytes, align);
  }
  int64_t live = 0, most = 0;
  for (OpId i = p.ops_begin; i < p.ops_end; ++i) {
    live += change[i - p.ops_begin];
    if (live > most || (i == p.ops_begin && at)) {
      if (live > most || i == p.ops_begin) *at = i;
      most = std::max(most, live);
    }
  }
  return most;
}

void measure(Graph& graph, uint32_t p) {
  Phase& phase = graph.phases[p];
  const Binding binding = graph.values_at(p);
  Evaluator value(*graph.dims, binding);
  std::vector<int64_t> offsets;
  phase.peak_bytes = std::max<int64_t>(stack(graph, p, binding, offsets), 0);
  OpId at = kNone;
  phase.lower_bound_bytes = std::max<int64_t>(live_bytes(graph, p, binding, &at), 0);
  phase.peak_op = phase.ops_end > phase.ops_begin ? at : kNone;
  // Budgets may have moved `value` to where placements were not compared.
  if (!phase.proven && phase.peak_bytes > padded_bound_bytes(graph, p, binding)) {
    phase.worst_ratio = std::max(phase.worst_ratio, static_cast<double>(phase.peak_bytes) /
                                                        static_cast<double>(phase.lower_bound_bytes));
    phase.optimal = false;
  }
  phase.no_reuse_bytes = 0;
  const auto add = [&](Expr bytes) {
    const auto n = value(bytes);
    if (!n || __builtin_add_overflow(phase.no_reuse_bytes, *n, &phase.no_reuse_bytes))
      phase.no_reuse_bytes = INT64_MAX;
  };
  for (OpId i = phase.ops_begin; i < phase.ops_end; ++i) {
    const Op& op = graph.ops[i];
    for (const ValueId id : op.out) {
      if (graph.buffers[graph.values[id].buffer].segment == Segment::Arena)
        add(stored_bytes(*graph.dims, graph.values[id].type));
    }
    for (const Expr bytes : op.scratch) add(bytes);
  }
}

}  // namespace

void plan_memory(Graph& graph, const Effort& effort) {
  assign_windows(graph);
  graph.strength = Strength::Portfolio;
  for (uint32_t p = 0; p < graph.phases.size(); ++p) {
    graph.work->share(static_cast<int64_t>(graph.phases.size() - p));
    place(graph, p, effort);
  }
  measure_memory(graph);
}

void measure_memory(Graph& graph) {
  for (uint32_t p = 0; p < graph.phases.size(); ++p) measure(graph, p);
}

int64_t arena_bytes(const Graph& graph, uint32_t phase, const Binding& binding) {
  std::vector<int64_t> offsets;
  return stack(graph, phase, binding, offsets);
}

int64_t lower_bound_bytes(const Graph& graph, uint32_t phase, const Binding& binding) {
  OpId at = kNone;
  return live_bytes(graph, phase, binding, &at);
}

int64_t padded_bound_bytes(const Graph& graph, uint32_t phase, const Binding& binding) {
  OpId at = kNone;
  return live_bytes(graph, phase, binding, &at, graph.target.align);
}

OpId peak_op(const Graph& graph, uint32_t phase, const Binding& binding) {
  OpId at = kNone;
  live_bytes(graph, phase, binding, &at);
  return graph.phases[phase].ops_end > graph.phases[phase].ops_begin ? at : kNone;
}

std::vector<int64_t> arena_offsets(const Graph& graph, uint32_t phase, const Binding& binding) {
  std::vector<int64_t> offsets;
  stack(graph, phase, binding, offsets);
  return offsets;
}

}  // namespace irplan
