#include "passes/solve.h"

#include <algorithm>

#include "passes/budget/solver.h"

namespace irplan {
namespace {

constexpr size_t kMostNamed = 8;  // dims in one sentence
constexpr int64_t kSteps = 4096;  // sizes tried downwards where divisibility keeps a largest one from holding

}  // namespace

void Solver::assign() {
  Binding binding(graph_.dims->dim_count());
  const Admits nearly = [&](const Binding& b) { return guards_nearly_admit(b) && bytes_fit(b); };
  for (const Dim& dim : graph_.dim_list) binding[dim.index] = dim.range.lo;
  for (const Dim& dim : graph_.dim_list) assign_fixed(dim, binding);
  for (Dim& dim : graph_.dim_list) {
    const bool fixed = fixed_size(dim.name) != nullptr;
    const int64_t top = dim.free && dim.range.hi == Interval::kUnbounded
                            ? std::max(kAssumedSize, dim.range.lo)
                            : std::min(dim.range.hi, kFarthest);
    if (!fixed) {
      binding[dim.index] = largest(
          binding, dim.index, {dim.range.lo, top}, [&](const Binding& b) { return admits(b); }, nearly);
    }
    dim.value = binding[dim.index];
    dim.assumed = !fixed && dim.free && dim.range.hi == Interval::kUnbounded;
  }
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) assign_phase(p, binding);
}

// A size that `--dim` gives, before the others are chosen: those give way.
void Solver::assign_fixed(const Dim& dim, Binding& binding) {
  const int64_t* fixed = fixed_size(dim.name);
  if (!fixed) return;
  binding[dim.index] = *fixed;
  if (dim.range.contains(*fixed) && admits(binding)) return;
  Diagnostic& d = diagnostics_.report(Code::E0265, dim.span, {dim.name, std::to_string(*fixed)});
  d.note("`" + dim.name + "` is " + std::to_string(dim.range.lo) + ".." +
         (dim.range.hi == Interval::kUnbounded ? "" : std::to_string(dim.range.hi)));
  binding[dim.index] = dim.range.lo;
}

const int64_t* Solver::fixed_size(const std::string& name) const {
  for (const auto& [dim, size] : fixed_) {
    if (dim == name) return &size;
  }
  return nullptr;
}

void Solver::assign_phase(uint32_t p, Binding binding) {
  Phase& phase = graph_.phases[p];
  // In the order of the dims; those that the phase leaves alone keep the plan's values.
  std::sort(phase.dims.begin(), phase.dims.end(),
            [](const PhaseDim& a, const PhaseDim& b) { return a.dim < b.dim; });
  for (PhaseDim& dim : phase.dims) binding[dim.dim] = dim.range.lo;
  for (PhaseDim& dim : phase.dims) {
    const Interval range{dim.range.lo, std::min(dim.range.hi, kFarthest)};
    const int64_t* fixed = fixed_size(graph_.dims->dim_name(dim.dim));
    dim.value =
        fixed && range.contains(*fixed)
            ? *fixed
            : largest(
                  binding, dim.dim, range, [&](const Binding& b) { return admits_in(p, b); },
                  [&](const Binding& b) { return guards_admit_in(p, b, true) && bytes_fit_in(p, b); });
    binding[dim.dim] = dim.value;
  }
}

// The largest size in the range that is admitted, the others as in the binding; the range's least where none
// is. `nearly` is the same but for divisibility, so that it can be bisected.
int64_t Solver::largest(Binding binding, DimIndex dim, Interval range, const Admits& admitted,
                        const Admits& nearly) const {
  const auto good = [&](int64_t n) { return binding[dim] = n, admitted(binding); };
  if (good(range.hi)) return range.hi;
  int64_t low = range.lo, high = range.hi;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    binding[dim] = middle;
    (nearly(binding) ? low : high) = middle;
  }
  for (int64_t n = low; n >= range.lo && low - n < kSteps; --n) {
    if (good(n)) return n;
  }
  return range.lo;
}

namespace {

// An equality between dims: one that is chosen later can still meet it.
bool between_dims(const Constraint& c) {
  return c.relation == Relation::Equal && dims_of(c.left - c.right).size() > 1;
}

}  // namespace

// As guards_admit, divisibility aside.
bool Solver::guards_nearly_admit(const Binding& binding) const {
  for (const Guard& guard : graph_.guards) {
    if (guard.constraint.relation == Relation::Equal) continue;
    if (guard.phase == kNoPhase && !holds(guard.constraint, binding)) return false;
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
      const bool own = guard.phase == p || (guard.phase == kNoPhase && !graph_.phases[p].dims.empty());
      if (own && !holds(guard.constraint, binding_in(graph_, p, binding))) return false;
    }
  }
  return true;
}

// At global sizes, and as each phase has them. Equalities between this and later dims can still be met; the
// others must hold now.
bool Solver::guards_admit(const Binding& binding) const {
  return std::all_of(graph_.guards.begin(), graph_.guards.end(),
                     [&](const Guard& guard) {
                       const Constraint& c = guard.constraint;
                       return c.relation != Relation::Equal || between_dims(c) || holds(c, binding);
                     }) &&
         guards_nearly_admit(binding);
}

// In one phase, at sizes of its own.
bool Solver::guards_admit_in(uint32_t phase, const Binding& binding, bool nearly) const {
  return std::all_of(graph_.guards.begin(), graph_.guards.end(), [&](const Guard& guard) {
    const Constraint& c = guard.constraint;
    if (guard.phase != kNoPhase && guard.phase != phase) return true;
    if (c.relation == Relation::Equal && (nearly || between_dims(c))) return true;
    return holds(c, binding);
  });
}

bool Solver::admits(const Binding& binding) const { return guards_admit(binding) && bytes_fit(binding); }

bool Solver::admits_in(uint32_t phase, const Binding& binding) const {
  for (const Guard& guard : graph_.guards) {
    if ((guard.phase == kNoPhase || guard.phase == phase) && !holds(guard.constraint, binding)) return false;
  }
  return bytes_fit_in(phase, binding);
}

bool Solver::bytes_fit_in(uint32_t phase, const Binding& binding) const {
  return !meter_ || std::all_of(graph_.budgets.begin(), graph_.budgets.end(), [&](const Budget& b) {
    return !b.bytes || !b.speaks_of(phase) || meter_->fits_in(b, phase, binding);
  });
}

bool Solver::bytes_fit(const Binding& binding) const {
  return !meter_ || std::all_of(graph_.budgets.begin(), graph_.budgets.end(),
                                [&](const Budget& b) { return !b.bytes || meter_->fits(b, binding); });
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
  Solver(graph, fixed, nullptr, diagnostics).assign();
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
  if (graph.budgets.empty()) return;
  const Meter meter(graph);
  Solver solver(graph, fixed, &meter, diagnostics);
  solver.assign();
  solver.answer();
}

}  // namespace irplan
