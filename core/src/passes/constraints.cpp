#include "passes/constraints.h"

#include <algorithm>

#include "passes/admitted.h"
#include "passes/measure.h"

namespace irplan {
namespace {

constexpr int64_t kFarthest = int64_t{1} << 40;  // sizes looked at where a dim has no upper bound

// Whether e >= 0 with the dim at n; overflow counts as false for a rising e, since it stands for a size too
// large to hold.
bool holds_at(Expr e, DimIndex dim, int64_t n) {
  Binding binding(e.pool().dim_count(), 0);
  binding[dim] = n;
  const auto value = evaluate(e, binding);
  return value && *value >= 0;
}

// The part of the range where e >= 0, e being monotone in the dim.
std::optional<Interval> where_positive(Expr e, DimIndex dim, Interval range) {
  Ranges ranges(e.pool().dim_count());
  ranges[dim] = range;
  const int64_t top = std::min(range.hi, std::max(kFarthest, range.lo));
  if (non_decreasing(e, dim, ranges)) {
    if (holds_at(e, dim, range.lo)) return range;
    if (!holds_at(e, dim, top)) return Interval{1, 0};
    int64_t fails = range.lo, holds = top;
    while (holds - fails > 1) {
      const int64_t middle = fails + (holds - fails) / 2;
      (holds_at(e, dim, middle) ? holds : fails) = middle;
    }
    return Interval{holds, range.hi};
  }
  if (non_decreasing(e.pool().constant(0) - e, dim, ranges)) {
    if (!holds_at(e, dim, range.lo)) return Interval{1, 0};
    if (holds_at(e, dim, top)) return range;
    int64_t holds = range.lo, fails = top;
    while (fails - holds > 1) {
      const int64_t middle = holds + (fails - holds) / 2;
      (holds_at(e, dim, middle) ? holds : fails) = middle;
    }
    return Interval{range.lo, holds};
  }
  return std::nullopt;
}

bool same(const Constraint& a, const Constraint& b) {
  return a.left == b.left && a.relation == b.relation && a.right == b.right;
}

void apply(Graph& graph, const Need& need, uint32_t phase, DimIndex dim, Diagnostics& diagnostics,
           bool* is_guard) {
  Dim& declared = *std::find_if(graph.dim_list.begin(), graph.dim_list.end(),
                                [&](const Dim& d) { return d.index == dim; });
  const auto narrow = [&](Interval range) -> std::optional<Interval> {
    const auto part = narrowed(need.constraint, dim, range);
    if (!part) {
      *is_guard = true;
      return range;
    }
    if (part->lo > part->hi) {
      const std::string needed = text(balanced(need.constraint));
      const std::string_view message[] = {needed};
      diagnostics.add(need.budget ? Code::BudgetRefused : Code::NoSizes, need.span, message, need.elsewhere)
          .also_in_program(declared.span, "`" + declared.name + "` is at least " + std::to_string(range.lo));
      return std::nullopt;
    }
    return part;
  };
  if (phase == kNoPhase) {
    const auto range = narrow(declared.range);
    if (!range || *is_guard) return;
    if (!(*range == declared.range))
      declared.narrowings.push_back({need.constraint, need.span, declared.range, *range, need.elsewhere});
    declared.range = *range;
    for (Phase& p : graph.phases) {
      for (PhaseDim& entry : p.dims) {
        if (entry.dim != dim) continue;
        const auto part = narrow(entry.range);
        if (part) entry.range = *part;
      }
    }
    return;
  }
  auto& dims = graph.phases[phase].dims;
  auto entry = std::find_if(dims.begin(), dims.end(), [&](const PhaseDim& d) { return d.dim == dim; });
  const auto range = narrow(entry == dims.end() ? declared.range : entry->range);
  if (!range || *is_guard) return;
  if (entry == dims.end()) {
    if (*range == declared.range) return;
    dims.push_back({dim, *range, range->lo, false});
  } else {
    entry->range = *range;
  }
}

// That no sizes of the ranges satisfy a guard: of all phases, or of one that sizes its dims by itself.
void refuse_impossible(const Graph& graph, const Guard& guard, Diagnostics& diagnostics) {
  const Constraint& c = guard.constraint;
  const auto dims = dims_of(c.left - c.right);
  const auto never = [&](uint32_t phase) {
    const Ranges ranges = graph.ranges(phase);
    Binding only(ranges.size());
    bool fixed = true;
    for (const DimIndex dim : dims)
      fixed = fixed && ranges[dim].lo == ranges[dim].hi, only[dim] = ranges[dim].lo;
    if (fixed) return !holds(c, only);
    const Truth truth = decide(c.left, c.relation, c.right, ranges);
    if (truth != Truth::Unknown || !graph.work->may(Work::Part::Search)) return truth == Truth::No;
    const Admitted found = find_sizes({c}, ranges);
    graph.work->spend(found.parts * kPartCost);
    return found.exist == Truth::No;
  };
  uint32_t where = guard.phase;
  if (!never(where)) {
    for (uint32_t p = 0; p < graph.phases.size() && where == kNoPhase; ++p) {
      if (guard.phase == kNoPhase && never(p)) where = p;
    }
    if (where == kNoPhase || !never(where)) return;
  }
  const std::string needed = text(c);
  const std::string_view message[] = {needed};
  diagnostics.add(guard.budget ? Code::BudgetRefused : Code::NoSizes, guard.span, message, guard.elsewhere)
      .at(dims.empty() ? "this never holds"
                       : "no sizes satisfy " + text(c) +
                             (where == kNoPhase ? "" : " in phase " + graph.phases[where].name));
}

}  // namespace

Constraint balanced(const Constraint& constraint) {
  Dims& dims = constraint.left.pool();
  const bool swap = constraint.relation == Relation::GreaterEqual;
  const Expr difference = swap ? constraint.right - constraint.left : constraint.left - constraint.right;
  if (difference.overflowed()) return constraint;
  Expr left = dims.constant(0), right = dims.constant(0);
  for (const Term& term : difference.node().terms) {
    Expr product = dims.constant(term.coefficient < 0 ? -term.coefficient : term.coefficient);
    for (const Atom* factor : term.monomial->factors) {
      product = product *
                (factor->dim ? dims.dim(factor->text) : dims.call(factor->function, factor->a, factor->b));
    }
    (term.coefficient > 0 ? left : right) = (term.coefficient > 0 ? left : right) + product;
  }
  return {left, swap ? Relation::LessEqual : constraint.relation, right};
}

std::optional<Interval> narrowed(const Constraint& constraint, DimIndex dim, Interval range) {
  const Expr difference = constraint.right - constraint.left;
  Dims& dims = difference.pool();
  switch (constraint.relation) {
    case Relation::LessEqual: return where_positive(difference, dim, range);
    case Relation::GreaterEqual: return where_positive(dims.constant(0) - difference, dim, range);
    case Relation::Equal: break;
  }
  const auto part = where_positive(difference, dim, range);
  if (!part || part->lo > part->hi) return part;
  return where_positive(dims.constant(0) - difference, dim, *part);
}

void settle(Graph& graph, const std::vector<Need>& needs, Diagnostics& diagnostics) {
  std::vector<Need> distinct;
  std::vector<uint32_t> phases;  // as a bit mask: which phases have the need
  const uint32_t all = (1u << graph.phases.size()) - 1;
  for (const Need& need : needs) {
    Need copy = need;
    copy.constraint = balanced(need.constraint);
    size_t i = 0;
    while (i < distinct.size() &&
           !(same(distinct[i].constraint, copy.constraint) && distinct[i].budget == copy.budget))
      ++i;
    if (i == distinct.size()) {
      distinct.push_back(copy);
      phases.push_back(0);
    }
    phases[i] |= need.phase == kNoPhase ? all : 1u << need.phase;
  }
  for (size_t i = 0; i < distinct.size(); ++i) {
    const Need& need = distinct[i];
    const auto dims = dims_of(need.constraint.left - need.constraint.right);
    for (uint32_t phase = 0; phase < graph.phases.size(); ++phase) {
      if (!(phases[i] >> phase & 1)) continue;
      const bool everywhere = phases[i] == all;
      const uint32_t where = everywhere ? kNoPhase : phase;
      bool is_guard = dims.size() != 1;
      if (!is_guard) apply(graph, need, where, dims[0], diagnostics, &is_guard);
      if (is_guard) graph.guards.push_back({need.constraint, need.span, where, need.budget, need.elsewhere});
      if (everywhere) break;
    }
  }
  for (const Guard& guard : graph.guards) refuse_impossible(graph, guard, diagnostics);
  // A guard that the ranges now settle says nothing.
  std::erase_if(graph.guards, [&](const Guard& g) {
    return decide(g.constraint.left, g.constraint.relation, g.constraint.right, graph.ranges(g.phase)) ==
           Truth::Yes;
  });
}

}  // namespace irplan
