#include "passes/fold.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace irplan {
namespace {

bool depends_on_dim(const Attr& attr) {
  if (const Expr e = attr.expr()) return !e.is_constant();
  for (const Attr& item : attr.list()) {
    if (depends_on_dim(item)) return true;
  }
  return false;
}

bool folds(const Graph& graph, const Op& op, const std::vector<ValueId>& stands_for) {
  if (op.in.empty()) return false;
  for (const ValueId id : op.in) {
    if (id == kNone) continue;
    const ValueKind kind = graph.values[stands_for[id]].kind;
    if (kind != ValueKind::Param && kind != ValueKind::Folded) return false;
  }
  for (const Attr& attr : op.attrs.values()) {
    if (depends_on_dim(attr)) return false;
  }
  return true;
}

}  // namespace

void fold(Graph& graph) {
  std::vector<ValueId> stands_for(graph.values.size());
  for (ValueId i = 0; i < stands_for.size(); ++i) stands_for[i] = i;
  const auto any = std::any_of(graph.ops.begin(), graph.ops.end(),
                               [&](const Op& op) { return folds(graph, op, stands_for); });
  if (!any) return;
  std::vector<Op> load, rest;
  std::unordered_map<uint64_t, std::vector<uint32_t>> by_operand;  // row and first operand -> ops in `load`
  rest.reserve(graph.ops.size());
  for (uint32_t p = 0; p < graph.phases.size(); ++p) {
    Phase& phase = graph.phases[p];
    const uint32_t begin = phase.ops_begin, end = phase.ops_end;
    phase.ops_begin = static_cast<uint32_t>(rest.size());
    for (uint32_t i = begin; i < end; ++i) {
      Op& op = graph.ops[i];
      for (ValueId& id : op.in) {
        if (id != kNone) id = stands_for[id];
      }
      if (!folds(graph, op, stands_for)) {
        rest.push_back(std::move(op));
        continue;
      }
      auto& same_start = by_operand[reinterpret_cast<uintptr_t>(op.row) * 1000003u + op.in[0]];
      bool known = false;
      for (const uint32_t at : same_start) {
        const Op& other = load[at];
        if (other.in != op.in || other.attrs.values() != op.attrs.values() ||
            other.out.size() != op.out.size())
          continue;
        for (size_t k = 0; k < op.out.size(); ++k) stands_for[op.out[k]] = other.out[k];
        known = true;
        break;
      }
      if (known) continue;
      for (const ValueId id : op.out) graph.values[id].kind = ValueKind::Folded;
      op.phase = kLoadPhase;
      same_start.push_back(static_cast<uint32_t>(load.size()));
      load.push_back(std::move(op));
    }
    phase.ops_end = static_cast<uint32_t>(rest.size());
  }
  for (Output& output : graph.outputs) output.value = stands_for[output.value];
  for (Annotation& annotation : graph.annotations) annotation.value = stands_for[annotation.value];
  // Ids lose the phase's prefix, unless two phases fold different things under one name.
  std::unordered_map<std::string, int> count;
  const auto bare = [&](const Value& value) {
    const std::string& prefix = graph.phases[value.phase].name;
    const bool prefixed = value.id.size() > prefix.size() &&
                          value.id.compare(0, prefix.size(), prefix) == 0 && value.id[prefix.size()] == '/';
    return prefixed ? value.id.substr(prefix.size() + 1) : value.id;
  };
  for (const Value& value : graph.values) {
    const ValueId id = static_cast<ValueId>(&value - graph.values.data());
    if (value.kind == ValueKind::Folded && stands_for[id] == id) {
      ++count[bare(value)];
    } else if (value.phase == kNoPhase) {
      ++count[value.id];
    }
  }
  for (Value& value : graph.values) {
    if (value.kind != ValueKind::Folded) continue;
    std::string id = bare(value);
    if (count[id] > 1) continue;
    value.id = std::move(id);
    value.phase = kNoPhase;
  }
  // Twins of another phase are gone with their ops.
  std::vector<ValueId> moved(graph.values.size(), kNone);
  std::vector<Value> values;
  values.reserve(graph.values.size());
  for (ValueId i = 0; i < graph.values.size(); ++i) {
    if (stands_for[i] != i) continue;
    moved[i] = static_cast<ValueId>(values.size());
    values.push_back(std::move(graph.values[i]));
  }
  graph.values = std::move(values);
  const auto first = static_cast<uint32_t>(load.size());
  for (Op& op : rest) load.push_back(std::move(op));
  graph.ops = std::move(load);
  for (OpId i = 0; i < graph.ops.size(); ++i) {
    for (ValueId& id : graph.ops[i].in) {
      if (id != kNone) id = moved[stands_for[id]];
    }
    for (ValueId& id : graph.ops[i].out) {
      id = moved[id];
      graph.values[id].producer = i;
    }
  }
  for (Output& output : graph.outputs) output.value = moved[output.value];
  for (Annotation& annotation : graph.annotations) annotation.value = moved[annotation.value];
  for (Phase& phase : graph.phases) phase.ops_begin += first, phase.ops_end += first;
}

}  // namespace irplan
