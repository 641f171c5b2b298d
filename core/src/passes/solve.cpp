#include "passes/solve.h"

#include <algorithm>
#include <functional>

#include "passes/memory.h"

namespace irplan {
namespace {

constexpr size_t kMostNamed = 8;  // dims in one sentence

constexpr int64_t kFarthest = int64_t{1} << 40;  // no size is looked for beyond it
constexpr int64_t kSteps = 4096;  // sizes tried downwards where divisibility keeps a largest one from holding

using Admits = std::function<bool(const Binding&)>;

bool holds(const Constraint& c, const Binding& binding) {
  const auto a = evaluate(c.left, binding), b = evaluate(c.right, binding);
  if (!a || !b) return false;
  return c.relation == Relation::LessEqual      ? *a <= *b
         : c.relation == Relation::GreaterEqual ? *a >= *b
                                                : *a == *b;
}

class Solver {
 public:
  Solver(Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics)
      : graph_(graph), fixed_(fixed), diagnostics_(diagnostics) {}

  void assign(bool bytes) {
    bytes_ = bytes;
    Binding binding(graph_.dims->dim_count());
    for (const Dim& dim : graph_.dim_list) binding[dim.index] = dim.range.lo;
    for (Dim& dim : graph_.dim_list) {
      const int64_t* fixed = fixed_size(dim.name);
      const int64_t top = dim.free && dim.range.hi == Interval::kUnbounded
                              ? std::max(kAssumedSize, dim.range.lo)
                              : std::min(dim.range.hi, kFarthest);
      if (fixed) {
        binding[dim.index] = *fixed;
        if (!dim.range.contains(*fixed) || !admits(binding)) {
          Diagnostic& d = diagnostics_.report(Code::E0265, dim.span, {dim.name, std::to_string(*fixed)});
          d.note("`" + dim.name + "` is " + std::to_string(dim.range.lo) + ".." +
                 (dim.range.hi == Interval::kUnbounded ? "" : std::to_string(dim.range.hi)));
          binding[dim.index] = dim.range.lo;
        }
      } else {
        binding[dim.index] =
            largest(binding, dim.index, {dim.range.lo, top}, [&](const Binding& b) { return admits(b); });
      }
      dim.value = binding[dim.index];
      dim.assumed = !fixed && dim.free && dim.range.hi == Interval::kUnbounded;
    }
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) assign_phase(p, binding);
  }

  void solve() {
    assign(true);
    for (Budget& budget : graph_.budgets) answer(budget);
  }

 private:
  const int64_t* fixed_size(const std::string& name) const {
    for (const auto& [dim, size] : fixed_) {
      if (dim == name) return &size;
    }
    return nullptr;
  }

  void assign_phase(uint32_t p, Binding binding) {
    Phase& phase = graph_.phases[p];
    // In the order of the dims; those that the phase leaves alone keep the plan's values.
    std::sort(phase.dims.begin(), phase.dims.end(),
              [](const PhaseDim& a, const PhaseDim& b) { return a.dim < b.dim; });
    for (PhaseDim& dim : phase.dims) binding[dim.dim] = dim.range.lo;
    for (PhaseDim& dim : phase.dims) {
      const Interval range{dim.range.lo, std::min(dim.range.hi, kFarthest)};
      const int64_t* fixed = fixed_size(graph_.dims->dim_name(dim.dim));
      dim.value = fixed && range.contains(*fixed)
                      ? *fixed
                      : largest(binding, dim.dim, range, [&](const Binding& b) { return admits_in(p, b); });
      binding[dim.dim] = dim.value;
    }
  }

  // The largest size in the range that is admitted, the others as in the binding; the range's least where
  // none is.
  int64_t largest(Binding binding, DimIndex dim, Interval range, const Admits& admitted) const {
    const auto good = [&](int64_t n) { return binding[dim] = n, admitted(binding); };
    if (good(range.hi)) return range.hi;
    int64_t low = range.lo, high = range.hi;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      (good_but_for_divisibility(binding, dim, middle) ? low : high) = middle;
    }
    for (int64_t n = low; n >= range.lo && low - n < kSteps; --n) {
      if (good(n)) return n;
    }
    return range.lo;
  }

  bool good_but_for_divisibility(Binding binding, DimIndex dim, int64_t n) const {
    binding[dim] = n;
    for (const Guard& guard : graph_.guards) {
      if (guard.constraint.relation != Relation::Equal && !holds(guard.constraint, binding)) return false;
    }
    return !bytes_ || bytes_fit(binding);
  }

  // Equalities between this and later dims can still be met; the others must hold now.
  bool admits(const Binding& binding) const {
    for (const Guard& guard : graph_.guards) {
      const bool between = guard.constraint.relation == Relation::Equal &&
                           dims_of(guard.constraint.left - guard.constraint.right).size() > 1;
      if (!between && !holds(guard.constraint, binding)) return false;
    }
    return !bytes_ || bytes_fit(binding);
  }

  bool admits_in(uint32_t phase, const Binding& binding) const {
    for (const Guard& guard : graph_.guards) {
      if ((guard.phase == kNoPhase || guard.phase == phase) && !holds(guard.constraint, binding))
        return false;
    }
    if (!bytes_) return true;
    return std::all_of(graph_.budgets.begin(), graph_.budgets.end(),
                       [&](const Budget& b) { return !b.bytes || fits_in(b, phase, binding); });
  }

  bool bytes_fit(const Binding& binding) const {
    return std::all_of(graph_.budgets.begin(), graph_.budgets.end(),
                       [&](const Budget& b) { return !b.bytes || fits(b, binding); });
  }

  bool fits(const Budget& budget, const Binding& binding) const {
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
      if (!fits_in(budget, p, binding_in(graph_, p, binding))) return false;
    }
    return true;
  }

  std::optional<Binding> measured(uint32_t phase, Binding binding) const {
    const auto bytes = segment_bytes(graph_, phase, binding);
    if (!bytes) return std::nullopt;
    const Quantities& q = graph_.quantities;
    binding.resize(graph_.dims->dim_count());
    binding[q.weights] = bytes->weights;
    binding[q.state] = bytes->state;
    binding[q.inputs] = bytes->inputs;
    binding[q.arena] = bytes->arena;
    binding[q.memory] = bytes->sum();
    return binding;
  }

  bool fits_in(const Budget& budget, uint32_t phase, const Binding& binding) const {
    const auto all = measured(phase, binding);
    return all && holds(budget.constraint, *all);
  }

  void answer(Budget& budget) {
    Binding least(graph_.dims->dim_count()), value = graph_.values_at();
    for (const Dim& dim : graph_.dim_list) least[dim.index] = dim.range.lo;
    if (!budget.bytes) {
      const Ranges ranges = graph_.ranges();
      budget.ok = decide(budget.constraint.left, budget.constraint.relation, budget.constraint.right,
                         ranges) == Truth::Yes;
      for (const DimIndex dim : dims_of(budget.constraint.left - budget.constraint.right))
        note_largest(budget, dim, value);
      return;
    }
    describe_use(budget, value);
    if (!fits(budget, least)) return refuse(budget, least);
    Binding most(graph_.dims->dim_count());
    bool bounded = true;
    for (const Dim& dim : graph_.dim_list) {
      most[dim.index] = std::min(dim.range.hi, kFarthest);
      bounded = bounded && dim.range.hi != Interval::kUnbounded;
    }
    const Binding worst = largest_admitted();
    budget.ok = bounded && fits(budget, worst);
    for (const Dim& dim : graph_.dim_list) note_largest(budget, dim.index, value);
    if (!budget.ok && bounded) warn(budget, worst, value);
  }

  // The largest sizes that ranges and guards admit when bytes are not asked: what the declaration promises.
  Binding largest_admitted() {
    const bool bytes = bytes_;
    bytes_ = false;
    Binding binding(graph_.dims->dim_count());
    for (const Dim& dim : graph_.dim_list) binding[dim.index] = dim.range.lo;
    for (const Dim& dim : graph_.dim_list) {
      binding[dim.index] = largest(binding, dim.index, {dim.range.lo, std::min(dim.range.hi, kFarthest)},
                                   [&](const Binding& b) { return admits(b); });
    }
    bytes_ = bytes;
    return binding;
  }

  // A dim's largest value with the others at theirs: the smallest over the phases.
  void note_largest(Budget& budget, DimIndex dim, const Binding& value) {
    const Dim& declared = *std::find_if(graph_.dim_list.begin(), graph_.dim_list.end(),
                                        [&](const Dim& d) { return d.index == dim; });
    const int64_t top = std::min(declared.range.hi, kFarthest);
    const auto fits_at = [&](const Binding& b) {
      return budget.bytes ? fits(budget, b) : holds(budget.constraint, b);
    };
    if (budget.bytes && !matters(budget, dim)) return;
    budget.max.emplace_back(declared.name, largest_for(value, dim, {declared.range.lo, top}, fits_at));
  }

  int64_t largest_for(Binding binding, DimIndex dim, Interval range, const Admits& fits_at) const {
    const auto good = [&](int64_t n) { return binding[dim] = n, fits_at(binding); };
    if (good(range.hi)) return range.hi;
    int64_t low = range.lo, high = range.hi;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      (good(middle) ? low : high) = middle;
    }
    return low;
  }

  // Whether the measured bytes change with the dim at all.
  bool matters(const Budget&, DimIndex dim) const {
    for (const Buffer& buffer : graph_.buffers) {
      const auto dims = dims_of(buffer.bytes);
      if (std::find(dims.begin(), dims.end(), dim) != dims.end()) return true;
    }
    return false;
  }

  void describe_use(Budget& budget, const Binding& value) {
    const Constraint& c = budget.constraint;
    const bool limit_right = c.right.is_constant();
    if (!limit_right && !c.left.is_constant()) return;
    budget.limit_bytes = (limit_right ? c.right : c.left).constant();
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
      const auto all = measured(p, binding_in(graph_, p, value));
      const auto used = all ? evaluate(limit_right ? c.left : c.right, *all) : std::nullopt;
      if (used) budget.used_bytes = std::max(budget.used_bytes, *used);
    }
  }

  std::string sizes_text(uint32_t phase, const Binding& binding) const {
    std::string out;
    for (const Dim& dim : graph_.dim_list)
      out += (out.empty() ? "" : ", ") + dim.name + " = " + std::to_string(binding[dim.index]);
    if (out.empty()) out = "its only sizes";
    return out + (graph_.phases.size() > 1 ? " (phase " + graph_.phases[phase].name + ")" : "");
  }

  uint32_t worst_phase(const Binding& binding) const {
    uint32_t worst = 0;
    int64_t most = -1;
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
      const auto bytes = segment_bytes(graph_, p, binding_in(graph_, p, binding));
      if (bytes && bytes->sum() > most) most = bytes->sum(), worst = p;
    }
    return worst;
  }

  void note_parts(Diagnostic& d, uint32_t phase, const Binding& binding) const {
    const auto bytes = segment_bytes(graph_, phase, binding);
    if (!bytes) return;
    d.note("weights " + bytes_text(bytes->weights) + "  +  state " + bytes_text(bytes->state) +
           "  +  inputs " + bytes_text(bytes->inputs) + "  +  arena " + bytes_text(bytes->arena));
  }

  void refuse(Budget& budget, const Binding& least) {
    budget.ok = false;
    const uint32_t phase = worst_phase(least);
    const Binding own = binding_in(graph_, phase, least);
    const auto bytes = segment_bytes(graph_, phase, own);
    Diagnostic& d = diagnostics_.report(Code::E0401, budget.span);
    if (bytes) d.at("needs " + bytes_text(bytes->sum()) + " of memory at " + sizes_text(phase, own));
    note_parts(d, phase, own);
    if (bytes && budget.constraint.right.is_constant())
      d.help("the smallest sizes need a limit of " + bytes_text(bytes->sum()));
  }

  void warn(Budget& budget, const Binding& worst, const Binding& value) {
    const uint32_t phase = worst_phase(worst);
    const Binding own = binding_in(graph_, phase, worst);
    const auto bytes = segment_bytes(graph_, phase, own);
    Diagnostic& d = diagnostics_.report(Code::W0401, budget.span);
    std::string admitted;
    for (const Dim& dim : graph_.dim_list) {
      const int64_t most = largest_for(own, dim.index, {dim.range.lo, std::min(dim.range.hi, kFarthest)},
                                       [&](const Binding& b) { return fits(budget, b); });
      Binding at = own;
      at[dim.index] = most;
      if (most < own[dim.index] && fits(budget, at))
        admitted += (admitted.empty() ? "" : " or ") + dim.name + " <= " + std::to_string(most);
    }
    if (bytes) {
      d.at("needs " + bytes_text(bytes->sum()) + " at " + sizes_text(phase, own) +
           (admitted.empty() ? "" : "; admits " + admitted + " there"));
    }
    note_parts(d, phase, own);
    d.help("the plan's numbers hold at " + sizes_text(phase, binding_in(graph_, phase, value)));
  }

  Graph& graph_;
  const FixedDims& fixed_;
  Diagnostics& diagnostics_;
  bool bytes_ = false;  // whether budgets over bytes count already
};

}  // namespace

Binding binding_in(const Graph& graph, uint32_t phase, Binding binding) {
  for (const PhaseDim& dim : graph.phases[phase].dims) {
    binding[dim.dim] = std::clamp(binding[dim.dim], dim.range.lo, dim.range.hi);
  }
  return binding;
}

std::optional<SegmentBytes> segment_bytes(const Graph& graph, uint32_t phase, const Binding& binding) {
  SegmentBytes out;
  Evaluator value(*graph.dims, binding);
  const int64_t align = graph.target.align;
  std::vector<uint8_t> needed(graph.buffers.size(),
                              1);  // of weights, what only folding reads is freed after it
  std::vector<uint8_t> read(graph.buffers.size(), 0);
  for (const Op& op : graph.ops) {
    for (const ValueId id : op.in) {
      if (id == kNone) continue;
      read[graph.values[id].buffer] |= op.phase == kLoadPhase ? 1 : 2;
    }
  }
  for (size_t i = 0; i < needed.size(); ++i) needed[i] = read[i] != 1;
  for (size_t i = 0; i < graph.buffers.size(); ++i) {
    const Buffer& buffer = graph.buffers[i];
    if (buffer.segment == Segment::Arena || (buffer.segment == Segment::Weights && !needed[i])) continue;
    const auto bytes = value(buffer.bytes);
    if (!bytes || *bytes > INT64_MAX - align) return std::nullopt;
    int64_t& total = buffer.segment == Segment::Weights ? out.weights
                     : buffer.segment == Segment::State ? out.state
                                                        : out.inputs;
    if (__builtin_add_overflow(total, (*bytes + align - 1) / align * align, &total)) return std::nullopt;
  }
  out.arena = arena_bytes(graph, phase, binding);
  int64_t sum = 0;
  for (const int64_t part : {out.weights, out.state, out.inputs, out.arena}) {
    if (part < 0 || __builtin_add_overflow(sum, part, &sum)) return std::nullopt;
  }
  return out;
}

void assign_values(Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics) {
  for (const auto& [name, size] : fixed) {
    std::vector<std::string> names;
    for (const Dim& dim : graph.dim_list) names.push_back(dim.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    Diagnostic& d = diagnostics.report(Code::E0266, {}, {name});
    const std::string near = nearest(name, names);
    if (!near.empty()) {
      d.help("did you mean `--dim " + near + "=" + std::to_string(size) + "`");
    } else if (!names.empty()) {
      std::string known;
      for (size_t i = 0; i < names.size() && i < kMostNamed; ++i) known += (i ? ", " : "") + names[i];
      d.rule("the program's dims: " + known + (names.size() > kMostNamed ? ", …" : ""));
      d.help("a `let` is replaced by --let " + name + "=" + std::to_string(size));
    }
  }
  Solver(graph, fixed, diagnostics).assign(false);
  std::string assumed;
  const Dim* first = nullptr;
  size_t count = 0;
  for (const Dim& dim : graph.dim_list) {
    if (!dim.assumed) continue;
    if (!first) first = &dim;
    if (count++ < kMostNamed) assumed += (count > 1 ? ", `" : "`") + dim.name + "`";
  }
  if (!first) return;
  if (count > kMostNamed) assumed += " and " + std::to_string(count - kMostNamed) + " more";
  diagnostics
      .report(Code::W0301, first->span, {assumed, count > 1 ? "have" : "has", std::to_string(first->value)})
      .help("bound it: dim " + first->name + " in 1.." + std::to_string(first->value) +
            ", or fix it: --dim " + first->name + "=" + std::to_string(first->value));
}

void solve_budgets(Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics) {
  if (!graph.budgets.empty()) Solver(graph, fixed, diagnostics).solve();
}

std::string bytes_text(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  int unit = 0;
  int64_t scale = 1;
  while (unit < 6 && bytes / scale >= 1024) scale *= 1024, ++unit;
  if (unit == 0) return std::to_string(bytes) + " B";
  // Two decimals by integers, so that every machine prints the same.
  const auto hundredths = static_cast<int64_t>((static_cast<__int128>(bytes) * 100 + scale / 2) / scale);
  std::string fraction = std::to_string(hundredths % 100);
  if (fraction.size() < 2) fraction = "0" + fraction;
  return std::to_string(hundredths / 100) + "." + fraction + " " + kUnits[unit];
}

}  // namespace irplan
