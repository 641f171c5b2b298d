#include "passes/select.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "passes/graph_edit.h"
#include "passes/shape.h"

namespace irplan {
namespace {

bool rows_as_they_are(const KernelRow& row) { return row.packed < 0; }

class SelectPass {
 public:
  explicit SelectPass(Graph& graph) : graph_(graph) {
    for (uint32_t p = 0; p < graph.phases.size(); ++p) ranges_.push_back(graph.ranges(p));
    load_ranges_ = graph.ranges();
  }

  void run() {
    for (Op& op : graph_.ops) op.kernel = choose(op, nullptr);
    leave_rows();
    find_row_readers();
    for (OpId i = 0; i < graph_.ops.size(); ++i) {
      Op& op = graph_.ops[i];
      if (!op.kernel || op.kernel->packed < 0) continue;
      const auto operand = static_cast<size_t>(op.kernel->packed);
      if (op.phase == kLoadPhase || reads_rows_[root(op.in[operand])])
        op.kernel = choose(op, rows_as_they_are);
      else
        op.in[operand] = packed(op.in[operand], op);
    }
    for (Op& op : graph_.ops) {
      if (op.kernel && op.kernel->scratch) op.scratch = {op.kernel->scratch(typed_call(op))};
    }
    add_load_ops(graph_, std::move(packs_));
  }

 private:
  bool is_weight(ValueId id) const {
    const ValueKind kind = graph_.values[id].kind;
    return kind == ValueKind::Param || kind == ValueKind::Folded;
  }

  OpCall typed_call(const Op& op) const {
    OpCall call = call_of(graph_, op, op.phase == kLoadPhase ? load_ranges_ : ranges_[op.phase]);
    for (const ValueId id : op.out) call.out.push_back(graph_.values[id].type);
    return call;
  }

  const KernelRow* choose(const Op& op, bool (*wanted)(const KernelRow&)) const {
    const auto rows = kernels_of(graph_.target.name, *op.row);
    if (rows.empty()) return nullptr;
    if (rows.size() == 1 && !rows[0].admits) return rows.data();
    const OpCall call = typed_call(op);
    KernelSite site{call, graph_.target.arch};
    for (size_t i = 0; i < op.in.size(); ++i) {
      if (op.in[i] != kNone && is_weight(op.in[i])) site.weights |= 1u << i;
    }
    return newest_kernel(graph_.target.name, site, wanted);
  }

  // The value whose bytes a window on weights shows.
  ValueId root(ValueId id) const {
    for (OpId from = graph_.values[id].producer; from != kNone; from = graph_.values[id].producer) {
      if (!graph_.ops[from].row->window || graph_.ops[from].in.size() != 1) break;
      id = graph_.ops[from].in[0];
    }
    return id;
  }

  // A product packs its weight, since that pays whatever it costs other readers; these read panels only where
  // a product has them made.
  void leave_rows() {
    const auto packs = [](const Op& op) { return op.kernel && op.kernel->packed >= 0; };
    const auto weight = [](const Op& op) { return op.in[static_cast<size_t>(op.kernel->packed)]; };
    std::unordered_set<ValueId> packed;
    for (const Op& op : graph_.ops) {
      if (op.phase != kLoadPhase && packs(op) && op.row->family == Family::Linear) packed.insert(weight(op));
    }
    for (Op& op : graph_.ops) {
      if (packs(op) && op.row->family != Family::Linear && !packed.count(weight(op)))
        op.kernel = choose(op, rows_as_they_are);
    }
  }

  // Weights of which something else than a packing kernel needs the rows when the phases run.
  void find_row_readers() {
    reads_rows_.assign(graph_.values.size(), 0);
    for (const Op& op : graph_.ops) {
      if (op.phase == kLoadPhase) continue;
      for (size_t i = 0; i < op.in.size(); ++i) {
        if (op.in[i] == kNone || !is_weight(op.in[i])) continue;
        if (!op.kernel || op.kernel->packed != static_cast<int>(i)) reads_rows_[root(op.in[i])] = 1;
      }
    }
    for (const Output& output : graph_.outputs) reads_rows_[root(output.value)] = 1;
  }

  // The weight in the layout of its reader's kernel; one for all of them.
  ValueId packed(ValueId id, const Op& reader) {
    const auto known = packed_.find(id);
    if (known != packed_.end()) return known->second;
    if (ids_.empty()) {
      for (const Value& value : graph_.values) ids_.insert(value.id);
    }
    Value value = graph_.values[id];
    value.id += ".packed";
    while (!ids_.insert(value.id).second) value.id += "~2";
    value.kind = ValueKind::Folded;
    value.source.clear();
    value.of.clear();
    value.packed = reader.kernel->weight_layout();
    Op op;
    op.row = &pack_op();
    op.in = {id};
    op.out = {static_cast<ValueId>(graph_.values.size())};
    op.attrs = Attrs(*op.row);
    op.attrs.set("layout", Attr(std::string(value.packed->name)));
    op.phase = kLoadPhase;
    op.span = reader.span;
    op.operand_spans = {reader.span};
    op.scope = reader.scope;
    graph_.values.push_back(std::move(value));
    op.kernel = choose(op, nullptr);
    const OpCall call = typed_call(op);
    op.flops = op.row->flops(call);
    op.bytes = cost_bytes(call);
    packs_.push_back(std::move(op));
    return packed_[id] = graph_.values.size() - 1;
  }

  Graph& graph_;
  std::vector<Ranges> ranges_;  // by phase
  Ranges load_ranges_;
  std::vector<uint8_t> reads_rows_;  // by value that is no window
  std::unordered_map<ValueId, ValueId> packed_;
  std::unordered_set<std::string> ids_;
  std::vector<Op> packs_;
};

}  // namespace

void select_kernels(Graph& graph) { SelectPass(graph).run(); }

const KernelRow* copy_kernel(const Graph& graph, const OpRow& row) {
  return newest_plain_kernel(graph.target.name, row);
}

std::optional<Target> parse_target(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view arch = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (name == "cpu" && (arch.empty() || arch == "generic")) return Target{"cpu", "generic", 64};
  if (name != "cuda") return std::nullopt;
  if (arch.empty()) return Target{"cuda", "sm_90", 256};
  // sm_ and two or three digits; a letter for a variant: sm_90a.
  std::string_view digits = arch.substr(0, 3) == "sm_" ? arch.substr(3) : std::string_view();
  if (!digits.empty() && (digits.back() == 'a' || digits.back() == 'f')) digits.remove_suffix(1);
  const bool known = digits.size() >= 2 && digits.size() <= 3 &&
                     std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!known) return std::nullopt;
  return Target{"cuda", std::string(arch), 256};
}

}  // namespace irplan
