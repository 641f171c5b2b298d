#include "passes/fuse.h"

#include "passes/graph_edit.h"
#include "passes/shape.h"

namespace irplan {
namespace {

// What the fused rows of the operator table stand for. `keeps` says that the value between the two is a
// result of the fused op, and may have other readers.
struct Fusion {
  const OpRow* first;
  const OpRow* second;
  const OpRow* fused;
  bool keeps;
};
const std::vector<Fusion>& fusions() {
  static const std::vector<Fusion> all = [] {
    std::vector<Fusion> made;
    for (const OpRow& row : op_table()) {
      if (row.first) made.push_back({find_op(row.first), find_op(row.second), &row, row.keeps_between});
    }
    return made;
  }();
  return all;
}

bool is(const Op& op, const OpRow* row) { return op.row == row; }

class FusePass {
 public:
  explicit FusePass(Graph& graph) : graph_(graph), edit_(graph) {}

  void run() {
    readers_.assign(graph_.values.size(), 0);
    for (const Op& op : graph_.ops) {
      for (const ValueId id : op.in) {
        if (id != kNone) ++readers_[id];
      }
    }
    for (const Output& output : graph_.outputs) ++readers_[output.value];
    for (OpId i = 0; i < graph_.ops.size(); ++i) {
      if (graph_.ops[i].phase == kLoadPhase) continue;
      for (const Fusion& fusion : fusions()) {
        if (is(graph_.ops[i], fusion.second) && try_fuse(i, fusion)) break;
      }
    }
    if (!fused_any_) return;
    edit_.finish();
    graph_.annotations.clear();  // checked by the shape pass
  }

 private:
  bool try_fuse(OpId at, const Fusion& fusion) {
    const Op& second = graph_.ops[at];
    for (size_t operand = 0; operand < second.in.size(); ++operand) {
      if (second.in[operand] == kNone || (fusion.keeps && operand > 0)) continue;
      const Value& between = graph_.values[second.in[operand]];
      if (between.producer == kNone || between.kind != ValueKind::Temp) continue;
      const OpId from = between.producer;
      const Op& first = graph_.ops[from];
      if (edit_.erased(from) || first.phase != second.phase || !is(first, fusion.first) || first.row->fused)
        continue;
      if (!fusion.keeps && readers_[second.in[operand]] != 1) continue;
      if (fusion.keeps ? join_norm(from, at, fusion) : join_product(from, at, operand, fusion)) return true;
    }
    return false;
  }

  // y = act(g) * u of one shape and dtype: runs where the product did.
  bool join_product(OpId from, OpId at, size_t operand, const Fusion& fusion) {
    const Op& first = graph_.ops[from];
    const Op& second = graph_.ops[at];
    if (second.in.size() != 2 || !second.attrs["scalar"].is_none()) return false;
    const ValueId gate = first.in[0], up = second.in[1 - operand];
    const TensorType& type = graph_.values[second.out[0]].type;
    if (!(graph_.values[gate].type == type) || !(graph_.values[up].type == type)) return false;
    if (graph_.values[up].kind != ValueKind::Temp) return false;
    Op fused = start(first, second, fusion, at);
    fused.in = {gate, up};
    fused.operand_spans = {first.operand_spans[0], second.operand_spans[1 - operand]};
    fused.out = second.out;
    return finish(std::move(fused), at, from);
  }

  // s = a + b, n = rmsnorm(s): runs where the sum did, so that the norm is ready as soon as it can be.
  bool join_norm(OpId from, OpId at, const Fusion& fusion) {
    const Op& first = graph_.ops[from];
    const Op& second = graph_.ops[at];
    if (first.in.size() != 2 || !first.attrs["scalar"].is_none()) return false;
    const TensorType& type = graph_.values[first.out[0]].type;
    for (const ValueId id : first.in) {
      if (!(graph_.values[id].type == type)) return false;
    }
    // The norm is computed early: that may not keep it alive over other ops. Its weight must be there: params
    // always are.
    for (OpId i = from + 1; i < at; ++i) {
      if (!edit_.erased(i) && !graph_.ops[i].row->window) return false;
    }
    for (size_t i = 1; i < second.in.size(); ++i) {
      if (second.in[i] != kNone && graph_.values[second.in[i]].kind == ValueKind::Temp) return false;
    }
    Op fused = start(first, second, fusion, from);
    fused.in = first.in;
    fused.operand_spans = first.operand_spans;
    for (size_t i = 1; i < second.in.size(); ++i) {
      fused.in.push_back(second.in[i]);
      fused.operand_spans.push_back(second.operand_spans[i]);
    }
    fused.out = {first.out[0], second.out[0]};
    return finish(std::move(fused), from, at);
  }

  Op start(const Op& first, const Op& second, const Fusion& fusion, OpId at) {
    Op fused;
    fused.row = fusion.fused;
    fused.attrs = Attrs(*fused.row);
    for (const AttrSpec& spec : fused.row->attributes) {
      for (const Op* part : {&first, &second}) {
        if (!part->attrs[spec.name].is_none()) fused.attrs.set(spec.name, part->attrs[spec.name]);
      }
    }
    fused.phase = first.phase;
    fused.span = graph_.ops[at].span;
    fused.scope = graph_.ops[at].scope;
    fused.parts = {graph_.values[first.out[0]].id, graph_.values[second.out[0]].id};
    return fused;
  }

  // Puts the fused op in the place of one of the two, if its own rule agrees.
  bool finish(Op fused, OpId at, OpId gone) {
    const Ranges& ranges = ranges_of(fused.phase);
    OpCall call = call_of(graph_, fused, ranges);
    if (!fused.row->shape(call)) return false;
    edit_.erase(gone);
    fused_any_ = true;
    fused.attrs = call.attrs;
    fused.flops = fused.row->flops(call);
    fused.bytes = cost_bytes(call);
    for (const ValueId id : fused.out) graph_.values[id].producer = at;
    graph_.ops[at] = std::move(fused);
    return true;
  }

  const Ranges& ranges_of(uint32_t phase) {
    if (ranges_.empty()) {
      for (uint32_t p = 0; p < graph_.phases.size(); ++p) ranges_.push_back(graph_.ranges(p));
    }
    return ranges_[phase];
  }

  Graph& graph_;
  std::vector<uint32_t> readers_;  // by value
  std::vector<Ranges> ranges_;     // by phase
  GraphEdit edit_;
  bool fused_any_ = false;
};

}  // namespace

void fuse(Graph& graph) { FusePass(graph).run(); }

}  // namespace irplan
