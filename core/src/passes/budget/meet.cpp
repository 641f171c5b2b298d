// Values that break a relation are looked for again; where none is found the program is refused: no plan has
// numbers that its own guards forbid.
#include <algorithm>
#include <optional>

#include "passes/admitted.h"
#include "passes/budget/solver.h"

namespace irplan {
namespace {

constexpr size_t kMostRelations = 4;  // other relations of the same dims

}  // namespace

// What must hold at the sizes that all phases share, or at those of one: there its own dims are open.
std::vector<Constraint> Solver::relations_in(uint32_t where) const {
  std::vector<Constraint> out;
  for (const Guard& guard : graph_.guards) {
    if (applies(guard, where)) out.push_back(guard.constraint);
  }
  return out;
}

bool Solver::applies(const Guard& guard, uint32_t where) const {
  if (guard.phase == kNoPhase || guard.phase == where) return true;
  if (where != kNoPhase) return false;
  const auto dims = dims_of(guard.constraint.left - guard.constraint.right);
  const auto& own = graph_.phases[guard.phase].dims;
  return std::none_of(own.begin(), own.end(), [&](const PhaseDim& d) {
    return std::find(dims.begin(), dims.end(), d.dim) != dims.end();
  });
}

bool Solver::broken(uint32_t where) const {
  const Binding at = graph_.values_at(where);
  const auto all = relations_in(where);
  return !std::all_of(all.begin(), all.end(), [&](const Constraint& c) { return holds(c, at); });
}

// Open are the dims that `where` sizes and `--dim` does not.
Ranges Solver::open_ranges(uint32_t where) const {
  Ranges out;
  for (const int64_t n : graph_.values_at(where)) out.push_back({n, n});
  const auto open = [&](DimIndex dim, Interval range) {
    const int64_t* fixed = fixed_size(graph_.dims->dim_name(dim));
    if (!fixed || !range.contains(*fixed)) out[dim] = {range.lo, std::min(range.hi, kFarthest)};
  };
  if (where == kNoPhase) {
    for (const Dim& dim : graph_.dim_list) open(dim.index, dim.range);
  } else {
    for (const PhaseDim& dim : graph_.phases[where].dims) open(dim.dim, dim.range);
  }
  return out;
}

// Sizes at which all relations hold, as large as each dim can be from where they were found; none where none
// were found.
std::optional<Binding> Solver::met(uint32_t where) const {
  const std::vector<Constraint> relations = relations_in(where);
  const Ranges open = open_ranges(where);
  const Admitted found = find_sizes(relations, open);
  graph_.work->spend(found.parts * kPartCost * static_cast<int64_t>(relations.size()));
  const Admits good = [&](const Binding& b) {
    return std::all_of(relations.begin(), relations.end(),
                       [&](const Constraint& c) { return holds(c, b); }) &&
           (where == kNoPhase ? bytes_fit(b) : bytes_fit_in(where, b));
  };
  if (found.exist != Truth::Yes || !good(found.at)) return std::nullopt;
  Binding out = found.at;
  for (const Dim& dim : graph_.dim_list) {
    int64_t top = open[dim.index].hi;
    if (dim.free && dim.range.hi == Interval::kUnbounded)
      top = std::min(top, std::max(kAssumedSize, out[dim.index]));
    if (top > out[dim.index]) out[dim.index] = largest(out, dim.index, {out[dim.index], top}, good, good);
  }
  return out;
}

void Solver::meet_guards() {
  if (diagnostics_.has_errors()) return;
  if (broken(kNoPhase)) {
    const auto at = met(kNoPhase);
    if (!at) return;
    for (Dim& dim : graph_.dim_list) dim.value = (*at)[dim.index];
    for (uint32_t p = 0; p < graph_.phases.size(); ++p) assign_phase(p, *at);
  }
  for (uint32_t p = 0; p < graph_.phases.size(); ++p) {
    if (!broken(p)) continue;
    const auto at = met(p);
    if (!at) return;
    for (PhaseDim& dim : graph_.phases[p].dims) dim.value = (*at)[dim.dim];
  }
}

void Solver::refuse_broken() const {
  if (diagnostics_.has_errors()) return;
  for (uint32_t where = 0; where <= graph_.phases.size(); ++where) {
    const uint32_t phase = where == graph_.phases.size() ? kNoPhase : where;
    if (broken(phase)) return refuse_broken(phase);
  }
}

void Solver::refuse_broken(uint32_t phase) const {
  const Binding at = graph_.values_at(phase);
  const Guard* first = nullptr;
  for (const Guard& guard : graph_.guards) {
    if (!first && applies(guard, phase) && !holds(guard.constraint, at)) first = &guard;
  }
  const auto dims = dims_of(first->constraint.left - first->constraint.right);
  const std::string in = phase == kNoPhase ? "" : " in phase " + graph_.phases[phase].name;
  const bool proven = find_sizes(relations_in(phase), open_ranges(phase)).exist == Truth::No;
  const std::string needed = text(first->constraint);
  const std::string_view message[] = {needed};
  Diagnostic& d = diagnostics_.add(first->budget ? Code::BudgetRefused : Code::NoSizes, first->span, message,
                                   first->elsewhere);
  d.at(std::string(proven ? "no sizes satisfy" : "no sizes were found that satisfy") + " this" + in);
  size_t told = 0;
  for (const Guard& guard : graph_.guards) {
    const auto others = dims_of(guard.constraint.left - guard.constraint.right);
    const bool shares = std::any_of(others.begin(), others.end(), [&](DimIndex dim) {
      return std::find(dims.begin(), dims.end(), dim) != dims.end();
    });
    if (&guard == first || !shares || !applies(guard, phase) || told++ >= kMostRelations) continue;
    if (guard.elsewhere)
      d.note("and --budget \"" + std::string(guard.elsewhere->slice(guard.span)) + "\"");
    else
      d.also_in_program(guard.span, "and " + text(guard.constraint));
  }
  if (!proven) d.help("name sizes that do: --dim " + graph_.dims->dim_name(dims[0]) + "=…");
}

}  // namespace irplan
