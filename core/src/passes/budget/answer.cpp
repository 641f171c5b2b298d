// Budgets answered both ways: what they admit, over phases and in each, what no placement could, what
// narrower range would fit.
#include <algorithm>

#include "passes/budget/solver.h"

namespace irplan {
namespace {

constexpr size_t kNarrowed = 16;   // dims of which a narrower range is looked for, the first ones
constexpr int64_t kFewSizes = 64;  // of a range all of which are looked at

// Sizes at which one dim is traded for others: of a short range all, since a product's largest value may lie
// between powers of two.
std::vector<int64_t> looked_at(Interval range) {
  if (range.hi - range.lo >= kFewSizes) return by_powers_of_two(range);
  std::vector<int64_t> out;
  for (int64_t n = range.lo; n <= range.hi; ++n) out.push_back(n);
  return out;
}

}  // namespace

std::vector<int64_t> by_powers_of_two(Interval range) {
  std::vector<int64_t> out{range.lo};
  for (int64_t n = 1; n < range.hi; n *= 2) {
    if (n > range.lo) out.push_back(n);
  }
  if (range.hi > range.lo) out.push_back(range.hi);
  return out;
}

Interval Solver::searched(const Dim& dim, uint32_t phase) const {
  Interval range = dim.range;
  if (phase != kNoPhase) {
    for (const PhaseDim& entry : graph_.phases[phase].dims) {
      if (entry.dim == dim.index) range = entry.range;
    }
  }
  return {range.lo, std::min(range.hi, kFarthest)};
}

void Solver::answer() {
  for (Budget& budget : graph_.budgets) answer(budget);
}

Binding Solver::least(uint32_t phase) const {
  Binding out(graph_.dims->dim_count());
  for (const Dim& dim : graph_.dim_list) out[dim.index] = searched(dim, phase).lo;
  return out;
}

void Solver::answer(Budget& budget) {
  const Binding smallest = least();
  if (budget.bytes) budget.limit_bytes = evaluate(budget.limit, graph_.values_at(budget.phase)).value_or(0);
  budget.least_bytes = most_used(budget, smallest);
  budget.possible = !budget.bytes || meter_->fits(budget, smallest);
  budget.answer.phase = budget.phase;
  if (!budget.possible) return refuse(budget, smallest);
  corners_cut_ = false;
  const std::vector<Corner> promised = corners(budget);
  const Corner& worst = worst_of(budget, promised);
  budget.needed_bytes = meter_->used(budget, worst.phase, worst.at).value_or(0);
  budget.answer = answered(budget, promised);
  answer_by_phase(budget);
  if (budget.answer.ok || !budget.bytes || !bounded()) return;
  if (holds_at(budget, promised)) return;  // as far as it could be looked at
  find_narrower(budget);
  warn(budget, worst);
}

// Of each phase by itself, where the budget speaks of several.
void Solver::answer_by_phase(Budget& budget) const {
  if (!budget.bytes || budget.phase != kNoPhase || graph_.phases.size() < 2) return;
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (!may_answer()) return budget.phases.clear();
    Budget alone = budget;
    alone.phase = p;
    budget.phases.push_back(answered(alone, corners(alone)));
  }
}

Answer Solver::answered(const Budget& budget, const std::vector<Corner>& promised) const {
  Answer out;
  out.phase = budget.phase;
  const Binding value = graph_.values_at(budget.phase);
  out.used_bytes = used_at_values(budget);
  out.ok = holds_everywhere(budget, promised);
  for (const Dim* dim : dims_that_matter(budget)) {
    if (!may_answer()) {  // of all dims, or of none
      out.max.clear(), out.beyond.clear();
      return out;
    }
    note_largest(out, budget, *dim, value);
  }
  if (!out.ok) find_frontiers(out, budget, value);
  return out;
}

bool Solver::bounded() const {
  return std::all_of(graph_.dim_list.begin(), graph_.dim_list.end(),
                     [](const Dim& dim) { return dim.range.hi != Interval::kUnbounded; });
}

// Over all declared ranges.
bool Solver::holds_everywhere(const Budget& budget, const std::vector<Corner>& promised) const {
  const Constraint& c = budget.constraint;
  if (!budget.bytes) return decide(c.left, c.relation, c.right, graph_.ranges(budget.phase)) == Truth::Yes;
  if (!bounded()) return false;
  return corners_cut_ ? holds_at_most(budget) : holds_at(budget, promised);
}

// At the largest sizes of all ranges, guards or not: enough where the limit does not fall, since no size
// does.
bool Solver::holds_at_most(const Budget& budget) const {
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (!budget.speaks_of(p)) continue;
    Binding top(graph_.dims->dim_count());
    for (const Dim& dim : graph_.dim_list) top[dim.index] = searched(dim, p).hi;
    if (!budget.limit.is_constant() || !meter_->fits_in(budget, p, top)) return false;
  }
  return true;
}

std::vector<const Dim*> Solver::dims_that_matter(const Budget& budget) const {
  std::vector<const Dim*> out;
  for (const Dim& dim : graph_.dim_list) {
    const bool fixed = budget.bytes && budget.phase != kNoPhase &&
                       searched(dim, budget.phase).lo == searched(dim, budget.phase).hi;
    if (!fixed && meter_->matters(budget, dim.index)) out.push_back(&dim);
  }
  return out;
}

// ---- what the declared ranges promise

std::vector<Solver::Corner> Solver::corners(const Budget& budget, Narrowing narrowing) const {
  std::vector<Corner> out;
  const auto dims = dims_that_matter(budget);
  std::vector<DimIndex> indices;
  for (const Dim* dim : dims) indices.push_back(dim->index);
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (!budget.speaks_of(p)) continue;
    if (narrowing.dim) {
      corners_cut_ = !find_corners(p, dims, narrowing, out) || corners_cut_;
      continue;
    }
    const auto [at, fresh] = known_corners_.try_emplace({p, indices});
    if (fresh) at->second.all = find_corners(p, dims, narrowing, at->second.corners);
    out.insert(out.end(), at->second.corners.begin(), at->second.corners.end());
    corners_cut_ = corners_cut_ || !at->second.all;
  }
  return out;
}

bool Solver::find_corners(uint32_t phase, const std::vector<const Dim*>& dims, Narrowing narrowing,
                          std::vector<Corner>& out) const {
  const auto range = [&](const Dim* dim) {
    Interval all = searched(*dim, phase);
    if (dim == narrowing.dim) all.hi = std::clamp(narrowing.end, all.lo, all.hi);
    return all;
  };
  // Each dim but one as large as guards admit, in their order.
  const auto enlarged = [&](Binding binding, const Dim* kept) {
    for (const Dim* dim : dims) {
      if (dim == kept) continue;
      binding[dim->index] = largest(
          binding, dim->index, range(dim), [&](const Binding& b) { return guards_admit_in(phase, b); },
          [&](const Binding& b) { return guards_admit_in(phase, b, true); });
    }
    return binding;
  };
  const Binding base = enlarged(least(phase), nullptr);
  out.push_back({phase, base});
  const bool traded =
      std::any_of(dims.begin(), dims.end(), [&](const Dim* dim) { return base[dim->index] < range(dim).hi; });
  for (const Dim* dim : traded ? dims : std::vector<const Dim*>()) {
    for (const int64_t n : looked_at(range(dim))) {
      graph_.work->spend(static_cast<int64_t>(graph_.dim_list.size()));
      if (!graph_.work->may(Work::Part::Values)) return false;
      Binding fixed = least(phase);
      fixed[dim->index] = n;
      if (guards_admit_in(phase, fixed)) out.push_back({phase, enlarged(fixed, dim)});
    }
  }
  return graph_.work->may(Work::Part::Values);
}

bool Solver::holds_at(const Budget& budget, const std::vector<Corner>& corners) const {
  return std::all_of(corners.begin(), corners.end(),
                     [&](const Corner& c) { return meter_->fits_in(budget, c.phase, c.at); });
}

// The corner that is furthest above the limit, or nearest to it; of a budget over dims one that breaks it.
const Solver::Corner& Solver::worst_of(const Budget& budget, const std::vector<Corner>& corners) const {
  const Corner* worst = corners.data();
  int64_t most = INT64_MIN;
  for (const Corner& corner : corners) {
    const auto used = meter_->used(budget, corner.phase, corner.at);
    const auto limit = budget.bytes ? evaluate(budget.limit, corner.at) : std::nullopt;
    if ((!used || !limit) && !meter_->fits_in(budget, corner.phase, corner.at)) return corner;
    if (used && limit && *used - *limit > most) most = *used - *limit, worst = &corner;
  }
  return *worst;
}

// At the sizes at which the plan's numbers hold, in each phase its own.
int64_t Solver::used_at_values(const Budget& budget) const {
  int64_t most = 0;
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (budget.speaks_of(p)) most = std::max(most, meter_->used(budget, p, graph_.values_at(p)).value_or(0));
  }
  return most;
}

// Over the phases, at global sizes; 0 of a budget over dims.
int64_t Solver::most_used(const Budget& budget, const Binding& binding) const {
  int64_t most = 0;
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (budget.speaks_of(p))
      most = std::max(most, meter_->used(budget, p, binding_in(graph_, p, binding)).value_or(0));
  }
  return most;
}

// ---- the largest sizes

// A dim's largest value with the others at theirs: over several phases the smallest of theirs. And the least
// that no placement of this order of ops would fit.
void Solver::note_largest(Answer& answer, const Budget& budget, const Dim& dim, const Binding& value) const {
  const Interval range = searched(dim, budget.phase);
  const auto fits = [&](Arena arena) {
    return [this, &budget, arena](const Binding& b) { return meter_->fits(budget, b, arena); };
  };
  const bool equal = !budget.bytes && budget.constraint.relation == Relation::Equal;
  answer.max.emplace_back(dim.name, equal ? largest(value, dim.index, range, fits(Arena::Placed),
                                                    [](const Binding&) { return true; })
                                          : largest_for(value, dim.index, range, fits(Arena::Placed)));
  if (budget.counts.arena == 0) return;
  const int64_t bound = largest_for(value, dim.index, range, fits(Arena::Bound));
  if (bound < range.hi) answer.beyond.emplace_back(dim.name, bound + 1);
}

int64_t Solver::largest_for(Binding binding, DimIndex dim, Interval range, const Admits& fits_at) const {
  const auto good = [&](int64_t n) { return binding[dim] = n, fits_at(binding); };
  if (good(range.hi)) return range.hi;
  int64_t low = range.lo, high = range.hi;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (good(middle) ? low : high) = middle;
  }
  return low;
}

// ---- narrower ranges

// The upper end of the dim's range with which the budget holds at all sizes that are left; none where not
// even the least does.
std::optional<int64_t> Solver::narrower(const Budget& budget, const Dim& dim) const {
  int64_t low = dim.range.lo;  // phases keep a part of their ranges
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (budget.speaks_of(p)) low = std::max(low, searched(dim, p).lo);
  }
  const auto holds_up_to = [&](int64_t n) { return holds_at(budget, corners(budget, {&dim, n})); };
  if (!holds_up_to(low)) return std::nullopt;
  int64_t high = searched(dim, budget.phase).hi;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (holds_up_to(middle) ? low : high) = middle;
  }
  return low;
}

void Solver::find_narrower(Budget& budget) const {
  auto dims = dims_that_matter(budget);
  if (dims.size() > kNarrowed) dims.resize(kNarrowed);
  for (const Dim* dim : dims) {
    if (!may_answer()) return;
    const auto end = narrower(budget, *dim);
    if (!end) continue;
    Change change;
    change.name = graph_.name_in(budget, dim->name);
    change.value = std::to_string(*end);
    change.fits = true;
    change.max.emplace_back(dim->name, *end);
    const int64_t before = std::max<int64_t>(1, searched(*dim, budget.phase).hi);
    change.kept = static_cast<int64_t>(static_cast<__int128>(*end) * 1000 / before);
    const auto left = corners(budget, {dim, *end});
    const Corner& worst = worst_of(budget, left);
    change.bytes = meter_->used(budget, worst.phase, worst.at).value_or(0);
    if (!budget.elsewhere && dim->span.begin < budget.span.begin)
      change.edit = Edit{{budget.span.begin, budget.span.begin},
                         "budget " + change.name + " <= " + change.value + "\n"};
    budget.changes.push_back(std::move(change));
  }
}

}  // namespace irplan
