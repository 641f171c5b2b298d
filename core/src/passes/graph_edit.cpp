#include "passes/graph_edit.h"

#include <iterator>
#include <numeric>

namespace irplan {
namespace {

void note_producers(Graph& graph) {
  for (OpId i = 0; i < graph.ops.size(); ++i) {
    for (const ValueId id : graph.ops[i].out) graph.values[id].producer = i;
  }
}

}  // namespace

GraphEdit::GraphEdit(Graph& graph) : graph_(graph), gone_(graph.ops.size(), 0), now_(graph.values.size()) {
  std::iota(now_.begin(), now_.end(), ValueId{0});
}

void GraphEdit::finish() {
  order_ops();
  drop_values();
}

void GraphEdit::order_ops() {
  std::vector<Op> ops;
  ops.reserve(graph_.ops.size());
  const auto keep = [&](uint32_t begin, uint32_t end, bool load) {
    for (OpId i = begin; i < end; ++i) {
      if (!gone_[i] && (graph_.ops[i].phase == kLoadPhase) == load) ops.push_back(std::move(graph_.ops[i]));
    }
  };
  const auto all = static_cast<uint32_t>(graph_.ops.size());
  // What is moved away is told by its phase, which a move leaves as it is.
  keep(0, all, true);
  for (Phase& phase : graph_.phases) {
    const auto begin = static_cast<uint32_t>(ops.size());
    keep(phase.ops_begin, phase.ops_end, false);
    phase.ops_begin = begin;
    phase.ops_end = static_cast<uint32_t>(ops.size());
  }
  graph_.ops = std::move(ops);
}

void GraphEdit::drop_values() {
  std::vector<uint8_t> made(graph_.values.size(), 0);
  for (const Op& op : graph_.ops) {
    for (const ValueId id : op.out) made[id] = 1;
  }
  note_producers(graph_);
  std::vector<ValueId> moved(graph_.values.size(), kNone);
  ValueId kept = 0;
  for (ValueId i = 0; i < graph_.values.size(); ++i) {
    const ValueKind kind = graph_.values[i].kind;
    const bool result = kind == ValueKind::Temp || kind == ValueKind::Folded;
    if (now_[i] != i || (result && !made[i])) continue;
    if (kept != i) graph_.values[kept] = std::move(graph_.values[i]);
    moved[i] = kept++;
  }
  graph_.values.resize(kept);
  const auto place = [&](ValueId id) { return moved[now_[id]]; };
  for (Op& op : graph_.ops) {
    for (ValueId& id : op.in) {
      if (id != kNone) id = place(id);
    }
    for (ValueId& id : op.out) id = place(id);
  }
  for (Output& output : graph_.outputs) output.value = place(output.value);
  std::vector<Annotation> annotations;
  for (Annotation& annotation : graph_.annotations) {
    annotation.value = place(annotation.value);
    if (annotation.value != kNone) annotations.push_back(std::move(annotation));
  }
  graph_.annotations = std::move(annotations);
}

void add_load_ops(Graph& graph, std::vector<Op> ops) {
  if (ops.empty()) return;
  const auto end = graph.phases.empty() ? static_cast<uint32_t>(graph.ops.size()) : graph.phases[0].ops_begin;
  const auto count = static_cast<uint32_t>(ops.size());
  graph.ops.insert(graph.ops.begin() + end, std::make_move_iterator(ops.begin()),
                   std::make_move_iterator(ops.end()));
  for (Phase& phase : graph.phases) phase.ops_begin += count, phase.ops_end += count;
  note_producers(graph);
}

}  // namespace irplan
