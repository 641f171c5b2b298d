#include "passes/solve.h"

#include <algorithm>

#include "base/sort.h"
#include "passes/budget/solver.h"

namespace irplan {
namespace {

constexpr size_t kMostNamed = 8;                                          // dims in one sentence
constexpr int64_t kGuardCost = 4, kRelationCost = 150, kZeroCost = 4000;  // steps of Work
constexpr int64_t kSteps = 4096;  // sizes tried downwards where divisibility keeps a largest one from holding

// How a phase sizes a dim; null where it leaves it alone.
const PhaseDim* own_size(const Phase& phase, DimIndex dim) {
  const auto own =
      std::find_if(phase.dims.begin(), phase.dims.end(), [&](const PhaseDim& d) { return d.dim == dim; });
  return own == phase.dims.end() ? nullptr : &*own;
}

// Where left - right is zero at a size of the dim in the range, the others as in the binding; none where it
// is not monotone there, or meets zero nowhere.
std::optional<int64_t> zero_of(const Constraint& c, const Dim& dim, Binding binding, bool* monotone) {
  const Expr difference = c.left - c.right;
  Ranges ranges(difference.pool().dim_count());
  ranges[dim.index] = dim.range;
  const Expr rising = non_decreasing(difference, dim.index, ranges) ? difference : c.right - c.left;
  *monotone = non_decreasing(rising, dim.index, ranges);
  const auto at = [&](int64_t n) { return binding[dim.index] = n, evaluate(rising, binding).value_or(1); };
  int64_t low = dim.range.lo, high = std::min(dim.range.hi, kFarthest);
  if (!*monotone || at(low) > 0 || at(high) < 0) return std::nullopt;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    at(middle) < 0 ? low = middle + 1 : high = middle;
  }
  return at(low) == 0 ? std::optional(low) : std::nullopt;
}

}  // namespace

void Solver::assign() {
  Binding binding(graph_.dims->dim_count());
  const Admits nearly = [&](const Binding& b) { return guards_nearly_admit(b) && bytes_fit(b); };
  for (const Dim& dim : graph_.dim_list) binding[dim.index] = dim.range.lo;
  settled_.assign(graph_.dims->dim_count(), 0);
  bool refused = false;
  for (const Dim& dim : graph_.dim_list) assign_fixed(dim, binding, refused);
  for (Dim& dim : graph_.dim_list) {
    const bool fixed = fixed_size(dim.name) != nullptr;
    const int64_t top = dim.free && dim.range.hi == Interval::kUnbounded
                            ? std::max(kAssumedSize, dim.range.lo)
                            : std::min(dim.range.hi, kFarthest);
    if (!fixed) {
      const auto only = forced(dim, binding);
      settled_[dim.index] = 1;
      const Interval range = only ? Interval{*only, *only} : Interval{dim.range.lo, top};
      binding[dim.index] = largest(
          binding, dim.index, range, [&](const Binding& b) { return admits(b); }, nearly);
    }
    dim.value = binding[dim.index];
    dim.assumed = !fixed && dim.free && dim.range.hi == Interval::kUnbounded;
  }
  settled_.clear();
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) assign_phase(p, binding);
  // Where every phase has a range of its own, the program's is nobody's: the largest size that a phase has.
  for (Dim& dim : graph_.dim_list) {
    const auto most = largest_of_phases(dim.index);
    if (most && !fixed_size(dim.name)) dim.value = *most;
  }
}

std::optional<int64_t> Solver::largest_of_phases(DimIndex dim) const {
  int64_t most = 0;
  for (const Phase& phase : graph_.phases) {
    const PhaseDim* own = own_size(phase, dim);
    if (!own) return std::nullopt;
    most = std::max(most, own->value);
  }
  return most;
}

// Whether a phase has the size, or the dim's whole range.
bool Solver::some_phase_admits(DimIndex dim, int64_t size) const {
  return std::any_of(graph_.phases.begin(), graph_.phases.end(), [&](const Phase& phase) {
    const PhaseDim* own = own_size(phase, dim);
    return !own || own->range.contains(size);
  });
}

// A size that `--dim` gives, before the others are chosen: those give way. A relation that one given size
// broke is broken for those after it, too, and told once.
void Solver::assign_fixed(const Dim& dim, Binding& binding, bool& refused) {
  const int64_t* fixed = fixed_size(dim.name);
  if (!fixed) return;
  binding[dim.index] = *fixed;
  settled_[dim.index] = 1;
  const bool within = dim.range.contains(*fixed) && some_phase_admits(dim.index, *fixed);
  if (within && (refused || admits(binding))) return;
  diagnostics_.report(Code::SizeRefused, dim.span, {dim.name, std::to_string(*fixed)});
  binding[dim.index] = dim.range.lo;
  refused = true;
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
  sort_range(phase.dims.begin(), phase.dims.end(),
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
  while (high - low > 1 && graph_.work->may(Work::Part::Values)) {
    const int64_t middle = low + (high - low) / 2;
    binding[dim] = middle;
    (nearly(binding) ? low : high) = middle;
  }
  for (int64_t n = low; n >= range.lo && low - n < kSteps; --n) {
    if (good(n)) return n;
    if (!graph_.work->may(Work::Part::Values)) break;
  }
  return range.lo;
}

bool Solver::guard_holds(size_t guard, uint32_t where, const Binding& binding) const {
  if (known_guards_.empty()) known_guards_.resize(graph_.phases.size() + 1);
  auto& all = known_guards_[std::min<size_t>(where, graph_.phases.size())];
  if (all.size() != graph_.guards.size()) all.resize(graph_.guards.size());
  KnownGuard& known = all[guard];
  const std::vector<DimIndex>& dims = guard_dims(guard);
  bool same = !known.sizes.empty();
  for (size_t i = 0; same && i < dims.size(); ++i) same = known.sizes[i] == binding[dims[i]];
  graph_.work->spend(same ? kGuardCost : kRelationCost);
  if (same) return known.holds;
  known.sizes.clear();
  for (const DimIndex dim : dims) known.sizes.push_back(binding[dim]);
  return known.holds = holds(graph_.guards[guard].constraint, binding);
}

// As guards_admit, divisibility aside.
bool Solver::guards_nearly_admit(const Binding& binding) const {
  std::vector<Binding> own;  // by phase
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) own.push_back(binding_in(graph_, p, binding));
  for (size_t g = 0; g < graph_.guards.size(); ++g) {
    const Guard& guard = graph_.guards[g];
    if (guard.constraint.relation == Relation::Equal) continue;
    if (guard.phase == kNoPhase && !guard_holds(g, kNoPhase, binding)) return false;
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
      const bool of_phase = guard.phase == p || (guard.phase == kNoPhase && !graph_.phases[p].dims.empty());
      if (of_phase && !guard_holds(g, p, own[p])) return false;
    }
  }
  return true;
}

// Apart from assigning, an equality between dims is left to whoever picks their sizes.
bool Solver::can_be_met(size_t equality, const Binding& binding) const {
  const std::vector<DimIndex>& dims = guard_dims(equality);
  if (settled_.empty()) return dims.size() > 1 || guard_holds(equality, kNoPhase, binding);
  const auto is_open = [&](DimIndex d) { return settled_[d] == 0; };
  const auto open = std::find_if(dims.begin(), dims.end(), is_open);
  if (open == dims.end()) return guard_holds(equality, kNoPhase, binding);
  if (std::find_if(open + 1, dims.end(), is_open) != dims.end()) return true;
  // Asked for the same sizes of the others again and again.
  if (known_zeros_.empty()) known_zeros_.resize(graph_.guards.size());
  KnownZero& known = known_zeros_[equality];
  std::vector<int64_t> others;
  for (const DimIndex d : dims) others.push_back(d == *open ? 0 : binding[d]);
  if (known.dim == *open && known.others == others) {
    graph_.work->spend(kGuardCost * static_cast<int64_t>(dims.size()));
    return known.met;
  }
  const auto dim = std::find_if(graph_.dim_list.begin(), graph_.dim_list.end(),
                                [&](const Dim& d) { return d.index == *open; });
  bool monotone = false;
  graph_.work->spend(kZeroCost);
  const bool met = zero_of(graph_.guards[equality].constraint, *dim, binding, &monotone) || !monotone;
  known = {*open, std::move(others), met};
  return met;
}

const std::vector<DimIndex>& Solver::guard_dims(size_t guard) const {
  if (guard_dims_.size() != graph_.guards.size()) {
    guard_dims_.clear();
    for (const Guard& g : graph_.guards)
      guard_dims_.push_back(dims_of(g.constraint.left - g.constraint.right));
  }
  return guard_dims_[guard];
}

// An equality between dims: one that is chosen later can still meet it.
bool Solver::between_dims(size_t guard) const {
  return graph_.guards[guard].constraint.relation == Relation::Equal && guard_dims(guard).size() > 1;
}

// The one size that an equality with earlier dims leaves.
std::optional<int64_t> Solver::forced(const Dim& dim, const Binding& binding) const {
  for (size_t g = 0; g < graph_.guards.size(); ++g) {
    const Guard& guard = graph_.guards[g];
    if (guard.constraint.relation != Relation::Equal || guard.phase != kNoPhase) continue;
    const std::vector<DimIndex>& dims = guard_dims(g);
    const auto open = std::count_if(dims.begin(), dims.end(), [&](DimIndex d) { return settled_[d] == 0; });
    bool monotone = false;
    if (open != 1 || dims.size() < 2 || !contains(dims, dim.index)) continue;
    if (const auto size = zero_of(guard.constraint, dim, binding, &monotone)) return size;
  }
  return std::nullopt;
}

// At global sizes, and as each phase has them. Equalities with one dim that is chosen later can still be met
// by it; the others must hold now.
bool Solver::guards_admit(const Binding& binding) const {
  for (size_t g = 0; g < graph_.guards.size(); ++g) {
    const Guard& guard = graph_.guards[g];
    if (guard.constraint.relation != Relation::Equal) continue;
    if (guard.phase != kNoPhase ? !between_dims(g) && !guard_holds(g, kNoPhase, binding)
                                : !can_be_met(g, binding))
      return false;
  }
  return guards_nearly_admit(binding);
}

// In one phase, at sizes of its own.
bool Solver::guards_admit_in(uint32_t phase, const Binding& binding, bool nearly) const {
  for (size_t g = 0; g < graph_.guards.size(); ++g) {
    const Guard& guard = graph_.guards[g];
    if (guard.phase != kNoPhase && guard.phase != phase) continue;
    const bool equal = guard.constraint.relation == Relation::Equal;
    if (equal && (nearly || between_dims(g))) continue;
    if (!guard_holds(g, phase, binding)) return false;
  }
  return true;
}

bool Solver::admits(const Binding& binding) const { return guards_admit(binding) && bytes_fit(binding); }

bool Solver::admits_in(uint32_t phase, const Binding& binding) const {
  for (size_t g = 0; g < graph_.guards.size(); ++g) {
    const uint32_t where = graph_.guards[g].phase;
    if ((where == kNoPhase || where == phase) && !guard_holds(g, phase, binding)) return false;
  }
  return bytes_fit_in(phase, binding);
}

bool Solver::bytes_fit_in(uint32_t phase, const Binding& binding) const {
  if (!meter_) return true;
  std::optional<PerSegment> bytes;
  for (const Budget& b : graph_.budgets) {
    if (!b.bytes || !b.speaks_of(phase)) continue;
    if (!bytes) bytes = meter_->bytes(phase, binding);
    const auto used = bytes ? Meter::counted(b, *bytes) : std::nullopt, limit = evaluate(b.limit, binding);
    if (!used || !limit || *used > *limit) return false;
  }
  return true;
}

bool Solver::bytes_fit(const Binding& binding) const {
  for (uint32_t p = 0; meter_ && p < graph_.phases.size(); ++p) {
    if (!bytes_fit_in(p, binding_in(graph_, p, binding))) return false;
  }
  return true;
}

void assign_values(Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics) {
  for (const auto& [name, size] : fixed) {
    std::vector<std::string> names;
    for (const Dim& dim : graph.dim_list) names.push_back(dim.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    Diagnostic& d = diagnostics.report(Code::UnknownDimOption, {}, {name});
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
  Solver solver(graph, fixed, nullptr, diagnostics);
  solver.assign();
  solver.meet_guards();
  solver.refuse_broken();
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
      .report(Code::SizeAssumed, first->span,
              {assumed, count > 1 ? "have" : "has", std::to_string(first->value)})
      .help("bound it: dim " + first->name + " in 1.." + std::to_string(first->value) +
            ", or fix it: --dim " + first->name + "=" + std::to_string(first->value));
}

void solve_budgets(Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics) {
  if (graph.budgets.empty()) return;
  const Meter meter(graph);
  Solver solver(graph, fixed, &meter, diagnostics);
  solver.assign();
  solver.meet_guards();
  solver.answer();
  solver.refuse_broken();
}

}  // namespace irplan
