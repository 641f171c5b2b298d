#include <algorithm>

#include "passes/budget.h"
#include "passes/constraints.h"

namespace irplan {
namespace {

// "B <= 8", or "decode.B <= 8".
Need narrower(const Graph& graph, const Change& change) {
  const size_t dot = change.name.find('.');
  const std::string dim = dot == std::string::npos ? change.name : change.name.substr(dot + 1);
  const auto own = std::find_if(graph.phases.begin(), graph.phases.end(),
                                [&](const Phase& phase) { return phase.name + "." + dim == change.name; });
  const uint32_t phase =
      own == graph.phases.end() ? kNoPhase : static_cast<uint32_t>(own - graph.phases.begin());
  const Expr end = graph.dims->constant(change.max.at(0).second);
  return {{graph.dims->dim(dim), Relation::LessEqual, end}, {}, phase, true, nullptr};
}

}  // namespace

void apply_budgets(Graph& graph, Diagnostics& diagnostics, const Change* also) {
  std::vector<Need> needs;
  for (const Budget& budget : graph.budgets) {
    if (!budget.bytes)
      needs.push_back({budget.constraint, budget.span, budget.phase, true, budget.elsewhere});
  }
  if (also) needs.push_back(narrower(graph, *also));
  settle(graph, needs, diagnostics);
}

}  // namespace irplan
