#include "passes/emit.h"

#include <algorithm>

#include "base/sort.h"
#include "irplan/compile.h"
#include "passes/advise.h"
#include "passes/lighter.h"
#include "passes/measure.h"
#include "passes/memory.h"

namespace irplan {
namespace {

constexpr size_t kMaxPeakText = 4096;  // bytes of a peak's expression that a plan holds

class Emitter {
 public:
  Emitter(const Graph& graph, const SourceText& source, Diagnostics& diagnostics)
      : graph_(graph), source_(source), diagnostics_(diagnostics) {}

  Plan run(const EmitSource& hashes) {
    plan_.pool = graph_.dims;
    plan_.producer = std::string("irplan ") + kVersion;
    plan_.source_file = source_.name();
    plan_.source_sha256 = hashes.sha256;
    plan_.config_sha256 = hashes.config_sha256;
    plan_.target = graph_.target.name;
    plan_.arch = graph_.target.arch;
    plan_.align = graph_.target.align;
    dims();
    phases();
    for (const Output& output : graph_.outputs)
      plan_.outputs.push_back({output.name, output.value, phase_name(output.phase)});
    plan_.values.reserve(graph_.values.size());
    for (const Value& v : graph_.values) value(v);
    plan_.buffers.reserve(graph_.buffers.size());
    buffers();
    plan_.ops.reserve(graph_.ops.size());
    for (const Op& o : graph_.ops) op(o);
    memory();
    budgets();
    return std::move(plan_);
  }

 private:
  uint32_t line(Span span) const { return source_.locate(span.begin).line; }
  // 0 of what stands in an option.
  uint32_t line(const Guard& guard) const { return guard.elsewhere ? 0 : line(guard.span); }
  uint32_t line(const Budget& budget) const { return budget.elsewhere ? 0 : line(budget.span); }
  std::string phase_name(uint32_t phase) const {
    return phase == kLoadPhase ? "load" : graph_.phases[phase].name;
  }
  std::optional<Expr> short_text(Expr e) const {
    if (!e || e.text().size() > kMaxPeakText) return std::nullopt;
    return e;
  }

  // A number that a plan holds as JSON; one that is too large is reported and kept at the largest.
  int64_t number(int64_t n, const std::string& what, Span span = {},
                 const std::shared_ptr<const SourceText>& elsewhere = nullptr) {
    if (n <= kMaxJsonInt && n >= -kMaxJsonInt) return n;
    diagnostics_.report(Code::BeyondJson, span, {what, std::to_string(n)}, elsewhere);
    return n < 0 ? -kMaxJsonInt : kMaxJsonInt;
  }

  void numbers(const Attr& attr, const std::string& what, Span span) {
    if (const auto* n = attr.get<int64_t>()) number(*n, what, span);
    for (const Attr& item : attr.list()) numbers(item, what, span);
    if (!attr.record()) return;
    for (const auto& [key, item] : *attr.record()) numbers(item, what + "." + key, span);
  }

  void dims() {
    for (const Dim& dim : graph_.dim_list) {
      Plan::Dim out;
      out.name = dim.name;
      out.min = number(dim.range.lo, "the lower end of `" + dim.name + "`", dim.span);
      if (dim.range.hi != Interval::kUnbounded)
        out.max = number(dim.range.hi, "the upper end of `" + dim.name + "`", dim.span);
      out.value = number(dim.value, "the size of `" + dim.name + "`", dim.span);
      out.assumed = dim.assumed;
      out.per = dim.per;
      plan_.dims.push_back(std::move(out));
    }
    std::vector<const Guard*> guards;
    for (const Guard& guard : graph_.guards) guards.push_back(&guard);
    const auto place = [](const Guard* guard) {
      return std::pair(guard->elsewhere != nullptr, guard->span.begin);
    };
    sort_range(guards.begin(), guards.end(),
               [&](const Guard* a, const Guard* b) { return place(a) < place(b); });
    for (const Guard* guard : guards) {
      const Constraint& c = guard->constraint;
      plan_.guards.push_back({c.left, c.relation, c.right, line(*guard),
                              guard->phase == kNoPhase ? "" : phase_name(guard->phase), guard->budget});
    }
  }

  void phases() {
    for (const Phase& phase : graph_.phases) {
      Plan::Phase out;
      out.name = phase.name;
      for (const PhaseDim& dim : phase.dims) {
        Plan::PhaseDim entry;
        entry.name = graph_.dims->dim_name(dim.dim);
        const std::string of = "`" + entry.name + "` in phase " + phase.name;
        entry.min = number(dim.range.lo, "the lower end of " + of, phase.span);
        if (dim.range.hi != Interval::kUnbounded)
          entry.max = number(dim.range.hi, "the upper end of " + of, phase.span);
        entry.value = number(dim.value, "the size of " + of, phase.span);
        out.dims.push_back(std::move(entry));
      }
      out.ops_begin = phase.ops_begin;
      out.ops_end = phase.ops_end;
      out.peak_bytes = number(phase.peak_bytes, "the arena's peak in bytes", phase.span);
      out.peak = short_text(phase.peak);
      // Sums over identical layers meet the same few expressions: counted first, added once.
      out.flops = total(phase, [](const Op& op) { return op.flops; });
      out.bytes = total(phase, [](const Op& op) { return op.bytes; });
      if (phase.peak_op != kNone) stack_at_peak(phase, out);
      out.tokens =
          tokens(graph_.values_at(static_cast<uint32_t>(&phase - graph_.phases.data())), out.peak_bytes);
      number(out.tokens.a_step, "the rows of a step", phase.span);
      out.as_written_bytes =
          number(phase.as_written_bytes, "the arena as it is written in bytes", phase.span);
      plan_.phases.push_back(std::move(out));
    }
  }

  void stack_at_peak(const Phase& phase, Plan::Phase& out) {
    out.peak_op = graph_.values[graph_.ops[phase.peak_op].out[0]].id;
    Evaluator value(*graph_.dims, graph_.values_at(static_cast<uint32_t>(&phase - graph_.phases.data())));
    for (const Buffer& b : graph_.buffers) {
      if (b.segment != Segment::Arena || b.live_begin > phase.peak_op || b.live_end <= phase.peak_op)
        continue;
      out.at_peak.push_back({b.id, number(value(b.bytes).value_or(0), "the size of a buffer in bytes"),
                             line(graph_.ops[b.live_begin].span)});
    }
    sort_range(out.at_peak.begin(), out.at_peak.end(),
               [](const Plan::AtPeak& a, const Plan::AtPeak& b) { return a.bytes > b.bytes; });
    if (out.at_peak.size() > Plan::Phase::kMostAtPeak) out.at_peak.resize(Plan::Phase::kMostAtPeak);
  }

  Plan::Tokens tokens(const Binding& binding, int64_t peak_bytes) const {
    Plan::Tokens out;
    Evaluator value(*graph_.dims, binding);
    const auto extent = [&](const Value& v, size_t axis) {
      return std::max<int64_t>(1, value(v.type.shape[axis]).value_or(1));
    };
    for (const Value& v : graph_.values) {
      if (v.kind == ValueKind::Input && v.type.shape.size() >= 2 && out.a_step == 0 &&
          __builtin_mul_overflow(extent(v, 0), extent(v, 1), &out.a_step))
        out.a_step = 0;
      if (v.kind != ValueKind::State || v.buffer == kNone) continue;
      const int64_t bytes = value(graph_.buffers[v.buffer].bytes).value_or(0) / extent(v, 0);
      int64_t& sum = v.layout == Layout::Ring ? out.ring_bytes_each_sequence : out.state_bytes_each;
      sum = std::min(sum + (v.layout == Layout::Ring ? bytes : bytes / extent(v, 1)), kMaxJsonInt);
    }
    if (out.a_step > 0) out.arena_bytes_each = peak_bytes / out.a_step;
    return out;
  }

  template <class Cost>
  Expr total(const Phase& phase, Cost cost) {
    std::vector<std::pair<Expr, int64_t>> counts;
    std::vector<uint32_t> slot(graph_.dims->expr_count(), UINT32_MAX);
    for (uint32_t i = phase.ops_begin; i < phase.ops_end; ++i) {
      const Expr e = cost(graph_.ops[i]);
      uint32_t& at = slot[e.index()];
      if (at == UINT32_MAX) {
        at = static_cast<uint32_t>(counts.size());
        counts.emplace_back(e, 0);
      }
      ++counts[at].second;
    }
    Expr sum = graph_.dims->constant(0);
    for (const auto& [e, n] : counts) sum = sum + e * n;
    if (sum.overflowed()) {
      diagnostics_.report(Code::BeyondJson, phase.span,
                          {"the work of phase " + phase.name, "more than 64 bits"});
      return graph_.dims->constant(0);
    }
    return sum;
  }

  void value(const Value& v) {
    Plan::Value& out = plan_.values.emplace_back();
    out.id = v.id;
    out.kind = static_cast<Plan::Kind>(v.kind);
    if (v.kind == ValueKind::Temp || (v.kind == ValueKind::Folded && v.phase != kNoPhase)) {
      out.phase = graph_.phases.size() > 1 || graph_.phases[0].name != "main" ? phase_name(v.phase) : "";
    }
    out.dtype = v.type.dtype;
    out.shape = v.type.shape;
    out.buffer = v.buffer;
    if (v.offset && !v.offset.is(0)) out.offset = v.offset;
    out.strides = v.strides;
    out.of = v.of;
    out.source = v.source;
    if (v.packed)
      out.layout = static_cast<Plan::Layout>(static_cast<size_t>(Plan::Layout::Panels16) +
                                             static_cast<size_t>(v.packed - weight_layouts().data()));
    if (v.kind == ValueKind::State) {
      out.layout = v.layout == Layout::Ring ? Plan::Layout::Ring : Plan::Layout::Contiguous;
      out.capacity = v.capacity;
    }
  }

  void buffers() {
    std::vector<std::vector<int64_t>> offsets;
    for (uint32_t p = 0; p < graph_.phases.size(); ++p)
      offsets.push_back(arena_offsets(graph_, p, graph_.values_at(p)));
    for (BufferId i = 0; i < graph_.buffers.size(); ++i) {
      const Buffer& b = graph_.buffers[i];
      Plan::Buffer& out = plan_.buffers.emplace_back();
      out.id = b.id;
      out.segment = static_cast<Plan::Segment>(b.segment);
      out.bytes = b.bytes;
      if (b.segment == Segment::Arena) {
        out.phase = phase_name(b.phase);
        out.live_begin = b.live_begin;
        out.live_end = b.live_end;
        out.above = b.above;
        out.offset = offsets[b.phase][i];
      }
    }
  }

  void op(const Op& o) {
    Plan::Op& out = plan_.ops.emplace_back();
    out.id = graph_.values[o.out[0]].id;
    out.row = o.row;
    out.kernel = o.kernel->name();
    out.in = o.in;
    out.out = o.out;
    out.attrs = o.attrs;
    for (const AttrSpec& spec : o.row->attributes) {
      const Attr& attr = o.attrs[spec.name];
      if (!attr.is_none()) numbers(attr, std::string("`") + spec.name + "` of " + o.row->name, o.span);
    }
    out.flops = o.flops;
    out.bytes = o.bytes;
    out.line = line(o.span);
    out.scope = o.scope;
    out.phase = phase_name(o.phase);
    out.parts = o.parts;
    out.scratch = o.scratch_buffers;
  }

  void memory() {
    Plan::Memory& m = plan_.memory;
    const Phase* largest = nullptr;
    m.optimal = m.range.proven = true;
    for (const Phase& phase : graph_.phases) {
      if (!largest || phase.peak_bytes > largest->peak_bytes) largest = &phase;
      m.peak_bytes = std::max(m.peak_bytes, number(phase.peak_bytes, "the arena's peak in bytes"));
      m.lower_bound_bytes =
          std::max(m.lower_bound_bytes, number(phase.lower_bound_bytes, "the arena's bound in bytes"));
      m.optimal = m.optimal && phase.optimal;
      m.range.worst_ratio = std::max(m.range.worst_ratio, phase.worst_ratio);
      m.range.proven = m.range.proven && phase.proven;
    }
    m.peak = short_text(largest->peak);
    m.lower_bound = short_text(largest->lower_bound);
    if (largest->peak_op != kNone) m.peak_op = graph_.values[graph_.ops[largest->peak_op].out[0]].id;
    m.no_reuse_bytes = std::min(largest->no_reuse_bytes, kMaxJsonInt);
    for (const Plan::Phase& phase : plan_.phases)
      m.as_written_bytes = std::max(m.as_written_bytes, phase.as_written_bytes);
    // That a search has ended shows in a plan by what it found: a placement at its bound.
    m.strength = m.optimal ? graph_.strength : std::min(graph_.strength, Strength::Limited);
    const Meter meter(graph_);
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
      const auto bytes = meter.bytes(p, graph_.values_at(p));
      if (!bytes) {
        diagnostics_.report(Code::BeyondJson, {}, {"the memory in bytes", "more than 64 bits"});
        continue;
      }
      m.segments.weights =
          std::max(m.segments.weights, number(bytes->weights, "the size of the weights in bytes"));
      m.segments.state = std::max(m.segments.state, number(bytes->state, "the size of the states in bytes"));
      m.segments.inputs =
          std::max(m.segments.inputs, number(bytes->inputs, "the size of the inputs in bytes"));
    }
    m.segments.arena = m.peak_bytes;
    m.lighter = lighter(graph_);
  }

  Plan::Answer answer(const Budget& budget, const Answer& found) {
    Plan::Answer out;
    if (found.phase != kNoPhase) out.phase = phase_name(found.phase);
    out.ok = found.ok;
    if (budget.bytes)
      out.used_bytes =
          number(found.used_bytes, "what a budget counts in bytes", budget.span, budget.elsewhere);
    out.max = found.max;
    out.beyond = found.beyond;
    for (const Frontier& f : found.frontiers) out.frontier.push_back({f.first, f.second, f.points});
    return out;
  }

  void budgets() {
    for (const Budget& budget : graph_.budgets) {
      Plan::Budget out;
      static_cast<Plan::Answer&>(out) = answer(budget, budget.answer);
      out.expr = budget.text;
      out.line = line(budget);
      if (budget.bytes) {
        const PerSegment& counts = budget.counts;
        out.limit_bytes = number(budget.limit_bytes, "a budget in bytes", budget.span, budget.elsewhere);
        out.limit = budget.limit;
        for (const int64_t n : {counts.weights, counts.state, counts.inputs, counts.arena})
          number(n, "how often a budget counts a segment", budget.span, budget.elsewhere);
        out.counts = {counts.weights, counts.state, counts.inputs, counts.arena};
      }
      for (const Answer& one : budget.phases) out.phases.push_back(answer(budget, one));
      for (const Change& change : budget.changes)
        out.changes.push_back(
            {text(change), change.fits,
             number(change.bytes, "a changed program in bytes", budget.span, budget.elsewhere), change.max});
      plan_.budget.push_back(std::move(out));
    }
  }

  const Graph& graph_;
  const SourceText& source_;
  Diagnostics& diagnostics_;
  Plan plan_;
};

}  // namespace

Plan emit(const Graph& graph, const SourceText& source, const EmitSource& hashes, Diagnostics& diagnostics) {
  return Emitter(graph, source, diagnostics).run(hashes);
}

}  // namespace irplan
