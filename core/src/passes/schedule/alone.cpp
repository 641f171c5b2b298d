#include "passes/schedule/alone.h"

#include <utility>

namespace irplan::scheduling {
namespace {

// Values that are named, in their order, under new numbers.
class Kept {
 public:
  explicit Kept(size_t count) : number_(count, kNone) {}

  void name(ValueId id) {
    if (id != kNone) number_[id] = 0;
  }
  void number() {
    ValueId next = 0;
    for (ValueId& n : number_) {
      if (n != kNone) n = next++;
    }
  }
  bool has(ValueId id) const { return number_[id] != kNone; }
  ValueId of(ValueId id) const { return id == kNone ? kNone : number_[id]; }
  void renumber(Ids& ids) const {
    for (ValueId& id : ids) id = of(id);
  }

 private:
  std::vector<ValueId> number_;  // by value; none: left out
};

}  // namespace

Graph alone(const Graph& graph, uint32_t phase) {
  Graph out;
  out.dims = graph.dims;
  out.work = graph.work;
  out.dim_list = graph.dim_list;
  out.guards = graph.guards;
  out.phases = graph.phases;
  out.target = graph.target;
  const uint32_t load = graph.phases[0].ops_begin;
  for (uint32_t p = 0; p < out.phases.size(); ++p) {
    const uint32_t ops = graph.phases[p].ops_end - graph.phases[p].ops_begin;
    out.phases[p].ops_begin = p <= phase ? load : out.phases[p - 1].ops_end;
    out.phases[p].ops_end = out.phases[p].ops_begin + (p == phase ? ops : 0);
  }
  out.ops.reserve(out.phases[phase].ops_end);
  out.ops.assign(graph.ops.begin(), graph.ops.begin() + load);
  out.ops.insert(out.ops.end(), graph.ops.begin() + graph.phases[phase].ops_begin,
                 graph.ops.begin() + graph.phases[phase].ops_end);
  Kept kept(graph.values.size());
  for (const Op& op : out.ops) {
    for (const ValueId id : op.in) kept.name(id);
    for (const ValueId id : op.out) kept.name(id);
  }
  for (const Output& output : graph.outputs) {
    if (output.phase == phase) kept.name(output.value), out.outputs.push_back(output);
  }
  kept.number();
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    if (kept.has(id)) out.values.push_back(graph.values[id]);
  }
  for (OpId i = 0; i < out.ops.size(); ++i) {
    kept.renumber(out.ops[i].in), kept.renumber(out.ops[i].out);
    for (const ValueId id : out.ops[i].out) out.values[id].producer = i;
  }
  for (Output& output : out.outputs) output.value = kept.of(output.value);
  return out;
}

}  // namespace irplan::scheduling
