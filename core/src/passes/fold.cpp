#include "passes/fold.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "passes/graph_edit.h"

namespace irplan {
namespace {

bool depends_on_dim(const Attr& attr) {
  if (const Expr e = attr.expr()) return !e.is_constant();
  for (const Attr& item : attr.list()) {
    if (depends_on_dim(item)) return true;
  }
  return false;
}

bool folds(const Graph& graph, const Op& op, const GraphEdit& edit) {
  if (op.in.empty()) return false;
  for (const ValueId id : op.in) {
    if (id == kNone) continue;
    const ValueKind kind = graph.values[edit.now(id)].kind;
    if (kind != ValueKind::Param && kind != ValueKind::Folded) return false;
  }
  for (const Attr& attr : op.attrs.values()) {
    if (depends_on_dim(attr)) return false;
  }
  return true;
}

bool same_work(const Op& a, const Op& b) {
  return a.in == b.in && a.attrs.values() == b.attrs.values() && a.out.size() == b.out.size();
}

// Ops on weights alone go to `load`, each once: a twin's results are those of the first.
void move_to_load(Graph& graph, GraphEdit& edit) {
  std::unordered_map<uint64_t, std::vector<OpId>> by_operand;  // row and first operand -> ops that fold
  for (const Phase& phase : graph.phases) {
    for (OpId i = phase.ops_begin; i < phase.ops_end; ++i) {
      Op& op = graph.ops[i];
      for (ValueId& id : op.in) {
        if (id != kNone) id = edit.now(id);
      }
      if (!folds(graph, op, edit)) continue;
      auto& same_start = by_operand[reinterpret_cast<uintptr_t>(op.row) * 1000003u + op.in[0]];
      const auto twin = std::find_if(same_start.begin(), same_start.end(),
                                     [&](OpId other) { return same_work(graph.ops[other], op); });
      if (twin != same_start.end()) {
        for (size_t k = 0; k < op.out.size(); ++k) edit.replace(op.out[k], graph.ops[*twin].out[k]);
        edit.erase(i);
        continue;
      }
      for (const ValueId id : op.out) graph.values[id].kind = ValueKind::Folded;
      op.phase = kLoadPhase;
      same_start.push_back(i);
    }
  }
}

// An id without the prefix of the value's phase.
std::string bare(const Graph& graph, const Value& value) {
  const std::string& prefix = graph.phases[value.phase].name;
  const bool prefixed = value.id.size() > prefix.size() && value.id.compare(0, prefix.size(), prefix) == 0 &&
                        value.id[prefix.size()] == '/';
  return prefixed ? value.id.substr(prefix.size() + 1) : value.id;
}

// Ids of folded values lose the phase's prefix, unless two phases fold different things under one name.
void shorten_ids(Graph& graph, const GraphEdit& edit) {
  std::unordered_map<std::string, int> count;
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    const Value& value = graph.values[id];
    if (value.kind == ValueKind::Folded && edit.now(id) == id) {
      ++count[bare(graph, value)];
    } else if (value.phase == kNoPhase) {
      ++count[value.id];
    }
  }
  for (Value& value : graph.values) {
    if (value.kind != ValueKind::Folded) continue;
    std::string id = bare(graph, value);
    if (count[id] > 1) continue;
    value.id = std::move(id);
    value.phase = kNoPhase;
  }
}

}  // namespace

void fold(Graph& graph) {
  GraphEdit edit(graph);
  const auto any =
      std::any_of(graph.ops.begin(), graph.ops.end(), [&](const Op& op) { return folds(graph, op, edit); });
  if (!any) return;
  move_to_load(graph, edit);
  shorten_ids(graph, edit);
  edit.finish();
}

}  // namespace irplan
