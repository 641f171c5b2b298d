#include "passes/shape.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "passes/constraints.h"

namespace irplan {
namespace {

// Keys or values, of which a `window` says how many are seen.
bool reads_rows_within(const Op& op, size_t operand) {
  return operand < op.row->operands.size() && op.row->operands[operand].as_rows == Reading::Free;
}

class ShapePass {
 public:
  ShapePass(Graph& graph, Diagnostics& diagnostics) : graph_(graph), diagnostics_(diagnostics) {}

  void run() {
    for (const Guard& guard : graph_.guards)
      needs_.push_back({guard.constraint, guard.span, guard.phase, false});
    graph_.guards.clear();
    infer();
    if (find_rings()) infer();
    settle(graph_, needs_, diagnostics_);
    check_annotations();
    check_extents();
    check_stored();
  }

 private:
  void infer() {
    for (Phase& phase : graph_.phases) {
      const auto index = static_cast<uint32_t>(&phase - graph_.phases.data());
      const Ranges ranges = graph_.ranges(index);
      noted_.clear();
      inferred_.clear();
      for (uint32_t i = phase.ops_begin; i < phase.ops_end; ++i) infer(graph_.ops[i], ranges);
    }
  }

  void infer(Op& op, const Ranges& ranges) {
    for (const ValueId id : op.in) {
      if (id != kNone && graph_.values[id].poisoned) return poison(op);
    }
    std::vector<Inferred>& alike = inferred_[key(op)];
    for (const Inferred& known : alike) {
      if (same(graph_.ops[known.op], known.given, op)) return take(known, op);
    }
    OpCall call = call_of(graph_, op, ranges);
    if (!op.row->shape(call)) {
      report(op, call);
      return poison(op);
    }
    for (const Constraint& constraint : call.constraints) note(constraint, op);
    Inferred fresh{static_cast<OpId>(&op - graph_.ops.data()), std::move(op.attrs)};
    op.attrs = call.attrs;
    for (size_t i = 0; i < op.out.size() && i < call.out.size(); ++i)
      graph_.values[op.out[i]].type = call.out[i];
    op.flops = op.row->flops(call);
    op.bytes = cost_bytes(call);
    alike.push_back(std::move(fresh));
    if (op.flops.overflowed() || op.bytes.overflowed()) {
      diagnostics_.report(Code::SizesTooLarge, op.span, {op.row->name});
      poison(op);
    }
  }

  // Layers are alike: what one op's rule said holds for every op of the same row, attributes and operand
  // types in its phase. Constraints need no repeating, since a phase notes each of them once.
  struct Inferred {
    OpId op;      // the first of its kind
    Attrs given;  // its attributes before the rule completed them
  };

  uint64_t key(const Op& op) const {
    uint64_t hash = 1469598103934665603ULL;
    const auto mix = [&](uint64_t n) { hash = (hash ^ n) * 1099511628211ULL; };
    mix(reinterpret_cast<uintptr_t>(op.row));
    for (const ValueId id : op.in) {
      if (id == kNone) {
        mix(kNone);
        continue;
      }
      const TensorType& type = graph_.values[id].type;
      mix(static_cast<uint64_t>(type.dtype));
      for (const Expr extent : type.shape) mix(extent.index());
    }
    return hash;
  }

  bool same(const Op& known, const Attrs& given, const Op& op) const {
    if (known.row != op.row || known.in.size() != op.in.size() || known.out.size() != op.out.size() ||
        !(given == op.attrs))
      return false;
    for (size_t i = 0; i < op.in.size(); ++i) {
      if ((known.in[i] == kNone) != (op.in[i] == kNone)) return false;
      if (op.in[i] == kNone) continue;
      const Value& a = graph_.values[known.in[i]];
      const Value& b = graph_.values[op.in[i]];
      if (a.kind != b.kind || a.layout != b.layout || !(a.type == b.type)) return false;
    }
    return true;
  }

  void take(const Inferred& known, Op& op) {
    const Op& first = graph_.ops[known.op];
    op.attrs = first.attrs;
    op.flops = first.flops;
    op.bytes = first.bytes;
    for (size_t i = 0; i < op.out.size(); ++i) {
      graph_.values[op.out[i]].type = graph_.values[first.out[i]].type;
      graph_.values[op.out[i]].poisoned = graph_.values[first.out[i]].poisoned;
    }
  }

  void poison(const Op& op) {
    for (const ValueId id : op.out) graph_.values[id].poisoned = true;
  }

  void note(const Constraint& constraint, const Op& op) {
    const Expr difference = constraint.left - constraint.right;
    const uint64_t key =
        static_cast<uint64_t>(difference.index()) * 4 + static_cast<uint64_t>(constraint.relation);
    if (!noted_.insert(key).second) return;
    needs_.push_back({constraint, op.span, op.phase, false});
  }

  void report(const Op& op, const OpCall& call) {
    if (!call.fault) return;
    const Fault& fault = *call.fault;
    const auto place = [&](int operand) {
      const auto i = static_cast<size_t>(operand);
      return operand >= 0 && i < op.operand_spans.size() ? op.operand_spans[i] : op.span;
    };
    Diagnostic& d = diagnostics_.add(fault.code, place(fault.operand), {});
    std::string message = info(fault.code).text;
    for (size_t i = 0; i < fault.arguments.size(); ++i) {
      const std::string slot = "{" + std::to_string(i) + "}";
      for (size_t at = message.find(slot); at != std::string::npos;
           at = message.find(slot, at + fault.arguments[i].size())) {
        message.replace(at, slot.size(), fault.arguments[i]);
      }
    }
    d.message = message;
    d.at(fault.found);
    if (fault.other >= 0) d.also(place(fault.other), fault.expected);
    if (!fault.rule.empty()) d.rule(fault.rule);
    if (!fault.help.empty()) d.help(fault.help);
  }

  // R6: where every reader of an appended state is an attention with a window, only the rows that a window
  // can still see are kept: min(C, w - 1 + max S) of them, w the widest window and S the longest step of any
  // phase.
  bool find_rings() {
    struct Readers {
      int64_t window = 0;
      int64_t step = 0;
      bool all_windowed = true;
    };
    std::unordered_map<ValueId, Readers> states;
    std::unordered_map<ValueId, ValueId> state_of;  // result of append -> state
    for (const Op& op : graph_.ops) {
      for (size_t i = 0; i < op.in.size(); ++i) {
        // Whoever reads the state itself wants its rows in their order.
        const bool whole = op.in[i] != kNone && graph_.values[op.in[i]].kind == ValueKind::State;
        if (whole && !(op.row->updates_state && i == 0)) states[op.in[i]].all_windowed = false;
        const auto appended = op.in[i] == kNone ? state_of.end() : state_of.find(op.in[i]);
        if (appended == state_of.end()) continue;
        Readers& readers = states[appended->second];
        const Expr window = op.attrs["window"].expr();
        if (reads_rows_within(op, i) && window && window.is_constant()) {
          readers.window = std::max(readers.window, window.constant());
        } else {
          readers.all_windowed = false;
        }
      }
      if (!op.row->updates_state || graph_.values[op.out[0]].poisoned ||
          graph_.values[op.in[0]].kind != ValueKind::State)
        continue;
      Readers& readers = states[op.in[0]];
      const Interval rows = bounds(graph_.values[op.in[1]].type.shape[1], graph_.ranges(op.phase));
      readers.step = std::max(readers.step, rows.hi);
      state_of[op.out[0]] = op.in[0];
    }
    for (const Output& output : graph_.outputs) {
      const auto appended = state_of.find(output.value);
      if (appended != state_of.end()) states[appended->second].all_windowed = false;
      if (graph_.values[output.value].kind == ValueKind::State) states[output.value].all_windowed = false;
    }
    bool any = false;
    for (const auto& [id, readers] : states) {
      Value& state = graph_.values[id];
      const bool bounded = readers.all_windowed && readers.window > 0 && readers.step < (int64_t{1} << 40);
      if (!bounded) continue;
      const int64_t rows = readers.window - 1 + readers.step;
      const Interval capacity = bounds(state.capacity, graph_.ranges());
      if (rows >= capacity.hi) continue;
      const Expr kept = graph_.dims->constant(rows);
      state.layout = Layout::Ring;
      state.type.shape[1] = rows < capacity.lo ? kept : graph_.dims->min(state.capacity, kept);
      any = true;
    }
    return any;
  }

  void check_annotations() {
    for (const Annotation& annotation : graph_.annotations) {
      const Value& value = graph_.values[annotation.value];
      if (value.poisoned) continue;
      const uint32_t phase = value.phase < graph_.phases.size() ? value.phase : kNoPhase;
      const TensorType want = in_phase(annotation.type, graph_, phase);
      const TensorType have = in_phase(value.type, graph_, phase);
      bool agrees = want.dtype == have.dtype && want.shape.size() == have.shape.size();
      for (size_t i = 0; agrees && i < want.shape.size(); ++i) {
        agrees = decide(want.shape[i], Relation::Equal, have.shape[i], graph_.ranges(phase)) == Truth::Yes;
      }
      if (!agrees) {
        diagnostics_.report(Code::AnnotationDiffers, annotation.span, {text(have)})
            .at(text(want))
            .also(value.span, "has the type " + text(have));
      }
    }
  }

  // Sizes are monotone: no extent may fall as a dim rises, or maxima could not be solved by bisection.
  void check_extents() {
    std::unordered_set<uint32_t> seen;
    for (const Value& value : graph_.values) {
      if (value.poisoned) continue;
      const uint32_t phase = value.phase < graph_.phases.size() ? value.phase : kNoPhase;
      for (const Expr e : value.type.shape) {
        if (e.is_constant() || !seen.insert(e.index()).second) continue;
        const Ranges ranges = graph_.ranges(phase);
        for (const DimIndex dim : dims_of(e)) {
          if (non_decreasing(e, dim, ranges)) continue;
          diagnostics_.report(Code::ExtentFalls, value.span, {e.text(), graph_.dims->dim_name(dim)})
              .rule("sizes never fall as a dim rises");
        }
      }
    }
  }

  // Where the dims are sized that differ from step to step: rows that are appended, where, and the tokens
  // of a program that appends; of a ragged dim each sequence has its own.
  std::unordered_map<DimIndex, Span> dims_of_steps() const {
    std::unordered_map<DimIndex, Span> out;
    const auto note = [&](Expr e, Span span) {
      for (const DimIndex dim : e ? dims_of(e) : std::vector<DimIndex>()) out.try_emplace(dim, span);
    };
    const auto note_rows = [&](const Value& v, Span span) {
      for (size_t axis = 0; axis < 2 && axis < v.type.shape.size(); ++axis) note(v.type.shape[axis], span);
    };
    for (const Op& op : graph_.ops) {
      if (!op.row->updates_state || graph_.values[op.out[0]].poisoned) continue;
      note_rows(graph_.values[op.in[1]], op.span);
      note(op.attrs["at"].expr(), op.span);
    }
    const bool steps = !out.empty();
    for (const Value& v : graph_.values) {
      if (steps && v.kind == ValueKind::Input && !is_float(v.type.dtype) && !v.poisoned) note_rows(v, v.span);
    }
    for (const Dim& dim : graph_.dim_list) {
      if (!dim.per.empty()) out.try_emplace(dim.index, dim.span);
    }
    return out;
  }

  // Params and states are laid out once for all steps of a run; a state has a row for each sequence.
  void check_stored() {
    const auto of_steps = dims_of_steps();
    for (const Value& v : graph_.values) {
      const bool state = v.kind == ValueKind::State;
      if ((v.kind != ValueKind::Param && !state) || v.poisoned) continue;
      for (size_t axis = state ? 1 : 0; axis < v.type.shape.size(); ++axis) {
        for (const DimIndex dim : dims_of(v.type.shape[axis])) {
          const auto step = of_steps.find(dim);
          if (step == of_steps.end()) continue;
          diagnostics_.report(Code::ShapeDependsOnStep, v.span, {v.source, graph_.dims->dim_name(dim)})
              .at(text(v.type))
              .also(step->second, "a step's own size")
              .rule("weights and states are laid out once, for all steps of a run");
          return;
        }
      }
    }
  }

  Graph& graph_;
  Diagnostics& diagnostics_;
  std::vector<Need> needs_;
  std::unordered_set<uint64_t> noted_;                            // in this phase
  std::unordered_map<uint64_t, std::vector<Inferred>> inferred_;  // in this phase, by key()
};

}  // namespace

void infer_shapes(Graph& graph, Diagnostics& diagnostics) { ShapePass(graph, diagnostics).run(); }

TensorType in_phase(const TensorType& type, const Graph& graph, uint32_t phase) {
  if (phase >= graph.phases.size()) return type;
  TensorType out = type;
  for (const PhaseDim& dim : graph.phases[phase].dims) {
    if (!dim.fixed) continue;
    for (Expr& extent : out.shape) {
      if (!extent.is_constant())
        extent = graph.dims->substitute(extent, dim.dim, graph.dims->constant(dim.range.lo));
    }
  }
  return out;
}

OpCall call_of(const Graph& graph, const Op& op, const Ranges& ranges) {
  OpCall call(*op.row, *graph.dims, ranges);
  call.in.reserve(op.in.size());
  for (const ValueId id : op.in) {
    if (id == kNone) {
      call.in.emplace_back();
      continue;
    }
    const Value& value = graph.values[id];
    if (value.kind == ValueKind::Input || value.kind == ValueKind::State) {
      call.in.emplace_back(in_phase(value.type, graph, op.phase));
    } else {
      call.in.emplace_back(value.type);
    }
  }
  call.attrs = op.attrs;
  if (op.row->updates_state && graph.values[op.in[0]].layout == Layout::Ring)
    call.ring_rows = graph.values[op.in[0]].type.shape[1];
  return call;
}

}  // namespace irplan
