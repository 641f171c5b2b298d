#include "passes/crowd.h"

#include <algorithm>
#include <string>
#include <vector>

namespace irplan {

void refuse_crowds(const Graph& graph, Diagnostics& diagnostics) {
  // One past the last op that reads each value; outputs live to their phase's end.
  std::vector<OpId> end(graph.values.size(), 0);
  for (OpId i = 0; i < graph.ops.size(); ++i) {
    for (const ValueId id : graph.ops[i].in) {
      if (id != kNone) end[id] = i + 1;
    }
  }
  for (const Output& output : graph.outputs) end[output.value] = kNone;
  size_t all = 0;
  for (const Phase& phase : graph.phases) {
    std::vector<size_t> deaths(phase.ops_end - phase.ops_begin + 1, 0);
    size_t alive = 0, sum = 0;
    for (OpId i = phase.ops_begin; i < phase.ops_end; ++i) {
      alive -= deaths[i - phase.ops_begin];
      for (const ValueId id : graph.ops[i].out) {
        ++alive;
        if (end[id] <= phase.ops_end) ++deaths[std::max(end[id], i + 1) - phase.ops_begin];
      }
      sum += alive, all += alive;
      if (sum <= kMaxAlive && all <= kMaxAliveInAll) continue;
      diagnostics.report(Code::TooManyAlive, graph.ops[i].span, {std::to_string(alive)})
          .rule("tensors alive, added up over the ops of a phase, are at most " + std::to_string(kMaxAlive) +
                ", and over all phases " + std::to_string(kMaxAliveInAll));
      return;
    }
  }
}

}  // namespace irplan
