// Changes of a graph that keep its ranges of phases, producers, outputs and annotations right.
//
// GraphEdit takes ops out and replaces values by others: noted one by one, done at once.
//
//     ops     n = rmsnorm(x)   m = rmsnorm(x)   y = mul(m, u)
//     erase(1), replace(m, n)
//     finish  n = rmsnorm(x)   y = mul(n, u)                     indices as if nothing else had been
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace irplan {

class GraphEdit {
 public:
  explicit GraphEdit(Graph& graph);

  void erase(OpId op) { gone_[op] = 1; }
  bool erased(OpId op) const { return gone_[op] != 0; }
  // Whatever reads `value` reads `other`, which stays.
  void replace(ValueId value, ValueId other) { now_[value] = other; }
  ValueId now(ValueId value) const { return now_[value]; }

  // Ops of phase `load` come first; the others keep their order. Values that were replaced are dropped, and
  // temps and folded ones that no op makes. Ranges of phases, producers, outputs and annotations follow.
  void finish();

 private:
  void order_ops();
  void drop_values();

  Graph& graph_;
  std::vector<uint8_t> gone_;  // by op
  std::vector<ValueId> now_;   // by value: what stands for it
};

// Puts ops behind the others of phase `load`.
void add_load_ops(Graph& graph, std::vector<Op> ops);

}  // namespace irplan
