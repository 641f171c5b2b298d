#include "passes/budget.h"
#include "passes/constraints.h"

namespace irplan {

void apply_budgets(Graph& graph, Diagnostics& diagnostics) {
  std::vector<Need> needs;
  for (const Budget& budget : graph.budgets) {
    if (!budget.bytes) needs.push_back({budget.constraint, budget.span, budget.phase, true});
  }
  settle(graph, needs, diagnostics);
}

}  // namespace irplan
