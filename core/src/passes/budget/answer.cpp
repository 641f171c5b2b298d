// Budgets answered both ways: what they admit, over phases and in each, what no placement could, what
// narrower range would fit.
#include <algorithm>

#include "passes/budget/solver.h"

namespace irplan {

std::vector<int64_t> by_powers_of_two(Interval range) {
  std::vector<int64_t> out{range.lo};
  for (int64_t n = 1; n < range.hi; n *= 2) {
    if (n > range.lo) out.push_back(n);
  }
  if (range.hi > range.lo) out.push_back(range.hi);
  return out;
}

bool limits_from_above(const Budget& budget) {
  return budget.bytes && budget.constraint.right.is_constant() &&
         budget.constraint.relation == Relation::LessEqual;
}

bool speaks_of(const Graph& graph, const Budget& budget, DimIndex quantity) {
  const auto dims = dims_of(budget.constraint.left - budget.constraint.right);
  const auto has = [&](DimIndex dim) { return std::find(dims.begin(), dims.end(), dim) != dims.end(); };
  return has(quantity) || has(graph.quantities.memory);
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

Binding Solver::least() const {
  Binding out(graph_.dims->dim_count());
  for (const Dim& dim : graph_.dim_list) out[dim.index] = dim.range.lo;
  return out;
}

void Solver::answer(Budget& budget) {
  const Binding smallest = least();
  if (budget.bytes && budget.constraint.right.is_constant())
    budget.limit_bytes = budget.constraint.right.constant();
  budget.least_bytes = most_used(budget, smallest);
  budget.possible = !budget.bytes || meter_->fits(budget, smallest);
  budget.answer.phase = budget.phase;
  if (!budget.possible) return refuse(budget, smallest);
  const std::vector<Binding> promised = corners(budget);
  const Binding worst = worst_of(budget, promised);
  budget.needed_bytes = most_used(budget, worst);
  budget.answer = answered(budget);
  answer_by_phase(budget);
  if (budget.answer.ok || !budget.bytes || !bounded()) return;
  find_narrower(budget, promised, worst);
  warn(budget, worst, graph_.values_at());
}

// Of each phase by itself, where the budget speaks of several.
void Solver::answer_by_phase(Budget& budget) const {
  if (!budget.bytes || budget.phase != kNoPhase || graph_.phases.size() < 2) return;
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    Budget alone = budget;
    alone.phase = p;
    budget.phases.push_back(answered(alone));
  }
}

Answer Solver::answered(const Budget& budget) const {
  Answer out;
  out.phase = budget.phase;
  const Binding value = graph_.values_at(budget.phase);
  out.used_bytes = most_used(budget, value);
  out.ok = holds_everywhere(budget);
  for (const Dim* dim : dims_that_matter(budget)) note_largest(out, budget, *dim, value);
  if (!out.ok) find_frontiers(out, budget, value);
  return out;
}

bool Solver::bounded() const {
  return std::all_of(graph_.dim_list.begin(), graph_.dim_list.end(),
                     [](const Dim& dim) { return dim.range.hi != Interval::kUnbounded; });
}

// Over all declared ranges.
bool Solver::holds_everywhere(const Budget& budget) const {
  const Constraint& c = budget.constraint;
  if (!budget.bytes) return decide(c.left, c.relation, c.right, graph_.ranges(budget.phase)) == Truth::Yes;
  return bounded() && meter_->fits(budget, worst_of(budget, corners(budget)));
}

std::vector<const Dim*> Solver::dims_that_matter(const Budget& budget) const {
  std::vector<const Dim*> out;
  for (const Dim& dim : graph_.dim_list) {
    const bool fixed =
        budget.phase != kNoPhase && searched(dim, budget.phase).lo == searched(dim, budget.phase).hi;
    if (!fixed && meter_->matters(budget, dim.index)) out.push_back(&dim);
  }
  return out;
}

// ---- what the declared ranges promise

// From the binding, each dim of the order as large as guards admit; `kept` stays as it is.
Binding Solver::corner(Binding binding, const std::vector<const Dim*>& order, const Dim* kept) const {
  for (const Dim* dim : order) {
    if (dim == kept) continue;
    binding[dim->index] = largest(
        binding, dim->index, searched(*dim), [&](const Binding& b) { return guards_admit(b); },
        [&](const Binding& b) { return guards_nearly_admit(b); });
  }
  return binding;
}

std::vector<Binding> Solver::corners(const Budget& budget) const {
  const auto order = dims_that_matter(budget);
  const Binding base = corner(least(), order, nullptr);
  std::vector<Binding> out{base};
  const bool traded = std::any_of(order.begin(), order.end(),
                                  [&](const Dim* dim) { return base[dim->index] < searched(*dim).hi; });
  if (!traded) return out;
  for (const Dim* dim : order) {
    for (const int64_t n : by_powers_of_two(searched(*dim))) {
      Binding fixed = least();
      fixed[dim->index] = n;
      if (guards_admit(fixed)) out.push_back(corner(fixed, order, dim));
    }
  }
  return out;
}

Binding Solver::worst_of(const Budget& budget, const std::vector<Binding>& corners) const {
  const Binding* worst = corners.data();
  int64_t most = -1;
  for (const Binding& binding : corners) {
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
      if (!budget.speaks_of(p)) continue;
      const auto used = meter_->used(budget, p, binding_in(graph_, p, binding));
      if (used && *used > most) most = *used, worst = &binding;
    }
    if (most < 0 && !meter_->fits(budget, binding)) return binding;
  }
  return *worst;
}

// Over the phases, at global sizes; 0 of a budget without a constant side.
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
  answer.max.emplace_back(dim.name, largest_for(value, dim.index, range, fits(Arena::Placed)));
  if (!limits_from_above(budget) || !speaks_of(graph_, budget, graph_.quantities.arena)) return;
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
std::optional<int64_t> Solver::narrower(const Budget& budget, const Dim& dim,
                                        const std::vector<Binding>& corners) const {
  const auto order = dims_that_matter(budget);
  int64_t least_end = dim.range.lo;  // phases keep a part of their ranges
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (budget.speaks_of(p)) least_end = std::max(least_end, searched(dim, p).lo);
  }
  const auto holds_up_to = [&](int64_t n) {
    const auto capped = [&](Binding b) { return b[dim.index] = std::min(b[dim.index], n), b; };
    if (!std::all_of(corners.begin(), corners.end(),
                     [&](const Binding& b) { return meter_->fits(budget, capped(b)); }))
      return false;
    Binding fixed = least();
    fixed[dim.index] = n;
    return corners.size() == 1 || meter_->fits(budget, corner(fixed, order, &dim));
  };
  if (!holds_up_to(least_end)) return std::nullopt;
  int64_t low = least_end, high = searched(dim, budget.phase).hi;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (holds_up_to(middle) ? low : high) = middle;
  }
  return low;
}

void Solver::find_narrower(Budget& budget, const std::vector<Binding>& corners, const Binding& worst) const {
  for (const Dim* dim : dims_that_matter(budget)) {
    const auto end = narrower(budget, *dim, corners);
    if (!end) continue;
    Change change;
    change.name = (budget.phase == kNoPhase ? "" : graph_.phases[budget.phase].name + ".") + dim->name;
    change.value = std::to_string(*end);
    change.fits = true;
    change.max.emplace_back(dim->name, *end);
    const int64_t before = std::max<int64_t>(1, searched(*dim, budget.phase).hi);
    change.kept = static_cast<int64_t>(static_cast<__int128>(*end) * 1000 / before);
    Binding at = worst;
    at[dim->index] = std::min(at[dim->index], *end);
    change.bytes = most_used(budget, at);
    if (dim->span.begin < budget.span.begin)
      change.edit = Edit{{budget.span.begin, budget.span.begin},
                         "budget " + change.name + " <= " + change.value + "\n"};
    budget.changes.push_back(std::move(change));
  }
}

}  // namespace irplan
