// Bytes of each segment at a binding, from the planned formulas: what budgets limit.
//
// Needs the memory plan. A graph is looked through once; a measurement then evaluates each distinct size
// once, so that a budget can be solved by bisection while somebody types.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "ir/graph.h"

namespace irplan {

enum class Arena : uint8_t {
  Placed,  // as the plan places its buffers
  Bound,   // the largest sum of live bytes: what every placement of this order of ops takes
};

class Meter {
 public:
  explicit Meter(const Graph& graph);

  // The arena's is that of the phase. None where a size has no value at the binding.
  std::optional<PerSegment> bytes(uint32_t phase, const Binding& binding, Arena arena = Arena::Placed) const;
  // The bytes that a budget counts; none of one over dims.
  std::optional<int64_t> used(const Budget& budget, uint32_t phase, const Binding& binding,
                              Arena arena = Arena::Placed) const;
  // Of all segments, the most over the phases, at the dims' values.
  int64_t most_at_values() const;
  // Rounded up to the target's alignment.
  int64_t padded(int64_t bytes) const { return align_up(bytes, graph_.target.align); }
  // In one phase at its own sizes, and in all phases at global ones.
  bool fits_in(const Budget& budget, uint32_t phase, const Binding& binding,
               Arena arena = Arena::Placed) const;
  bool fits(const Budget& budget, const Binding& binding, Arena arena = Arena::Placed) const;
  // Whether what the budget speaks of changes with the dim.
  bool matters(const Budget& budget, DimIndex dim) const;
  // Whether a buffer counts: of weights, what only folding reads is freed after it.
  bool counts(BufferId buffer) const { return counts_[buffer] != 0; }

 private:
  struct Size {
    Expr bytes;
    int64_t count;
  };
  std::optional<int64_t> sum(const std::vector<Size>& sizes, Evaluator& value) const;

  const Graph& graph_;
  std::vector<uint8_t> counts_;
  std::vector<Size> weights_, state_, inputs_;
  std::vector<std::vector<DimIndex>> arena_dims_;  // by phase
};

bool holds(const Constraint& constraint, const Binding& binding);

// A phase's own binding for global sizes: dims that it fixes or narrows are brought into its range.
Binding binding_in(const Graph& graph, uint32_t phase, Binding binding);

}  // namespace irplan
