#include "report/compare.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/sort.h"
#include "rivals/rivals.h"

namespace irplan::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kColumns = 4;              // sizes of a dim, unless told
constexpr int64_t kLargest = 8192;       // of a dim without upper bound, unless the plan's value is larger
constexpr size_t kMostBuffers = 20'000;  // of a phase; the rules take time that grows with the square
constexpr int kNameWidth = 42, kCellWidth = 20;  // characters

constexpr const char* kSameBuffers =
    "the buffers are this plan's for every rule: windows, results in place and the order of ops are decided, "
    "outputs lie in the arena; only the placement differs";

// ---- the sizes to compare at

struct Sweep {
  std::string dim;  // the one that varies; empty: as told
  std::vector<Binding> columns;
};

struct Limits {
  int64_t min = 1;
  std::optional<int64_t> max;
};

Limits limits_of(const Plan& plan, const Plan::Phase& phase, size_t dim) {
  for (const Plan::PhaseDim& d : phase.dims) {
    if (d.name == plan.dims[dim].name) return {d.min, d.max};
  }
  return {plan.dims[dim].min, plan.dims[dim].max};
}

bool holds(const Plan::Guard& guard, Evaluator& value) {
  const auto left = value(guard.left), right = value(guard.right);
  if (!left || !right) return false;
  return irplan::holds(*left, guard.relation, *right);
}

bool admits(const Plan& plan, const Plan::Phase& phase, const Binding& binding) {
  for (size_t i = 0; i < plan.dims.size(); ++i) {
    const Limits limits = limits_of(plan, phase, i);
    if (binding[i] < limits.min || (limits.max && binding[i] > *limits.max)) return false;
  }
  Evaluator value(*plan.pool, binding);
  return std::all_of(plan.guards.begin(), plan.guards.end(), [&](const Plan::Guard& guard) {
    return (!guard.phase.empty() && guard.phase != phase.name) || holds(guard, value);
  });
}

// From the least to the most, by equal factors where they are far apart.
std::vector<int64_t> spread(int64_t least, int64_t most) {
  std::vector<int64_t> out;
  const int64_t first = std::max<int64_t>(1, least);
  int doublings = 0;
  while (doublings < 62 && (first << (doublings + 1)) <= most && (first << (doublings + 1)) > 0) ++doublings;
  for (int i = 0; i + 1 < kColumns; ++i) {
    out.push_back(doublings >= kColumns - 1 ? first << (doublings * i / (kColumns - 1))
                                            : least + (most - least) * i / (kColumns - 1));
  }
  out.push_back(most);
  return out;
}

// Sizes of one dim; the others at the plan's values, or at their least where `others_least`.
std::optional<Sweep> sweep(const Plan& plan, const PhaseReport& phase, size_t dim, bool others_least) {
  Binding base = phase.binding;
  for (size_t i = 0; others_least && i < base.size(); ++i) {
    if (i != dim) base[i] = limits_of(plan, *phase.phase, i).min;
  }
  const Limits limits = limits_of(plan, *phase.phase, dim);
  Sweep out{plan.dims[dim].name, {}};
  std::vector<int64_t> sizes = spread(limits.min, limits.max.value_or(std::max(kLargest, base[dim])));
  if (!others_least) sizes.push_back(phase.binding[dim]);
  sort_range(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  for (const int64_t n : sizes) {
    Binding at = base;
    at[dim] = n;
    if (admits(plan, *phase.phase, at)) out.columns.push_back(std::move(at));
  }
  if (out.columns.size() < 2) return std::nullopt;
  return out;
}

// A sweep for each dim that the sizes of the phase's buffers depend on.
std::vector<Sweep> sweeps(const Plan& plan, const PhaseReport& phase, const rivals::Problem& problem) {
  std::vector<bool> used(plan.dims.size());
  for (const rivals::Buffer& b : problem.buffers) {
    for (const DimIndex dim : dims_of(b.bytes)) {
      if (dim < used.size()) used[dim] = true;
    }
  }
  std::vector<Sweep> out;
  for (size_t i = 0; i < plan.dims.size(); ++i) {
    const Limits limits = limits_of(plan, *phase.phase, i);
    if (!used[i] || limits.max == limits.min) continue;
    auto one = sweep(plan, phase, i, false);
    // Where the values of the others leave little room, their least.
    if (!out.empty() && (!one || one->columns.size() < kColumns)) one = sweep(plan, phase, i, true);
    if (one) out.push_back(std::move(*one));
  }
  if (out.empty()) out.push_back({"", {phase.binding}});
  return out;
}

// The sizes that the phase admits; dims that it fixes stay.
Sweep chosen_sweep(const Plan& plan, const PhaseReport& phase, const std::vector<ChosenSizes>& chosen) {
  Sweep out;
  for (size_t i = 0; i < chosen[0].sizes.size(); ++i) {
    Binding at = phase.binding, least = phase.binding;
    for (size_t d = 0; d < least.size(); ++d) least[d] = limits_of(plan, *phase.phase, d).min;
    for (const ChosenSizes& t : chosen) at[t.dim] = least[t.dim] = t.sizes[i];
    if (admits(plan, *phase.phase, at)) {
      out.columns.push_back(std::move(at));
    } else if (admits(plan, *phase.phase, least)) {
      out.columns.push_back(std::move(least));
    }
  }
  return out;
}

// ---- comparing

struct SizeColumn {
  Binding at;
  std::optional<int64_t> bound, ours;
  std::vector<std::optional<int64_t>> rules;  // as rivals::rules()
};

std::vector<SizeColumn> compared(const Plan& plan, const PhaseReport& phase, const rivals::Problem& problem,
                                 const std::vector<Binding>& sizes) {
  std::vector<SizeColumn> out;
  for (const Binding& at : sizes) {
    const auto ours = bind_arena(plan, phase.phase->name, at);
    out.push_back(
        {at, rivals::lower_bound(problem, at), ours ? std::optional(ours->bytes) : std::nullopt, {}});
  }
  for (const rivals::Rule& rule : rivals::rules()) {
    const rivals::Placing placing = rule.plan(problem, phase.binding);
    for (SizeColumn& column : out) {
      const auto placement = placing(column.at);
      column.rules.push_back(placement ? std::optional(placement->bytes) : std::nullopt);
    }
  }
  return out;
}

std::optional<double> ratio(const std::optional<int64_t>& bytes, const std::optional<int64_t>& bound) {
  if (!bytes || !bound) return std::nullopt;
  if (*bound == 0) return *bytes == 0 ? std::optional(1.0) : std::nullopt;
  return static_cast<double>(*bytes) / static_cast<double>(*bound);
}

// ---- as text

std::string cell_text(const std::optional<int64_t>& bytes, const std::optional<int64_t>& bound) {
  char text[64];
  const auto times = ratio(bytes, bound);
  std::snprintf(text, sizeof text, "%*s", kCellWidth - 9, bytes ? bytes_text(*bytes).c_str() : "-");
  std::string out = text;
  std::snprintf(text, sizeof text, times && *times < 1000 ? " %8.3f" : " %8.0f", times.value_or(0));
  return out + (times ? text : std::string(9, ' '));
}

std::string line(const std::string& name, const std::vector<std::string>& cells) {
  std::string out = "  " + name;
  if (out.size() < kNameWidth) out.resize(kNameWidth, ' ');
  for (const std::string& cell : cells) out += cell;
  return out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
}

std::string heading(const Plan& plan, const PhaseReport& phase, const std::vector<SizeColumn>& columns) {
  std::string fixed, varied;
  std::vector<std::string> cells(columns.size());
  for (size_t i = 0; i < plan.dims.size(); ++i) {
    const bool same = std::all_of(columns.begin(), columns.end(),
                                  [&](const SizeColumn& c) { return c.at[i] == columns[0].at[i]; });
    if (same) fixed += ", " + plan.dims[i].name + " = " + std::to_string(columns[0].at[i]);
    for (size_t c = 0; !same && c < columns.size(); ++c)
      cells[c] +=
          (cells[c].empty() ? "" : ", ") + plan.dims[i].name + " = " + std::to_string(columns[c].at[i]);
  }
  for (std::string& cell : cells) {
    if (cell.size() + 9 < kCellWidth) cell.insert(0, kCellWidth - 9 - cell.size(), ' ');
    cell.resize(std::max<size_t>(cell.size() + 1, kCellWidth), ' ');
  }
  return "phase " + phase.phase->name + fixed + "\n" + line("", cells);
}

std::string table_text(const Plan& plan, const PhaseReport& phase, const std::vector<SizeColumn>& columns) {
  std::string out = heading(plan, phase, columns);
  std::vector<std::string> bounds, ours;
  for (const SizeColumn& c : columns) {
    bounds.push_back(cell_text(c.bound, std::nullopt));
    ours.push_back(cell_text(c.ours, c.bound));
  }
  out += line("lower bound", bounds) + line("this plan, one order for all sizes", ours);
  for (size_t r = 0; r < rivals::rules().size(); ++r) {
    const rivals::Rule& rule = rivals::rules()[r];
    std::vector<std::string> cells;
    cells.reserve(columns.size());
    for (const SizeColumn& c : columns) cells.push_back(cell_text(c.rules[r], c.bound));
    out += line(rule.title + (*rule.used_by ? std::string(" (") + rule.used_by + ")" : ""), cells);
  }
  return out + "\n";
}

std::string introduction(const Plan& plan) {
  return plan.source_file + ": bytes of the arena, and how many times the lower bound that is\n  " +
         kSameBuffers + ".\n  All rules round to " + std::to_string(plan.align) +
         " bytes. Upper bounds are those of each dim by itself, as guards are beyond these rules; the tree "
         "is "
         "made at the\n  plan's values; `anew`: planned again for every size. A dash: no answer, as a dim "
         "has "
         "no upper bound or the bytes cannot be counted.\n\n";
}

std::string sources() {
  std::string out = "rules, written anew from\n";
  for (const rivals::Rule& rule : rivals::rules()) {
    if (*rule.used_by) out += std::string("  ") + rule.used_by + ": " + rule.source + "\n";
  }
  return out;
}

// ---- as JSON

template <typename T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json column_json(const Plan& plan, const SizeColumn& column) {
  Json dims = Json::object(), rules = Json::object();
  for (size_t i = 0; i < plan.dims.size(); ++i) dims[plan.dims[i].name] = column.at[i];
  const auto both = [&](const std::optional<int64_t>& bytes) {
    return Json{{"bytes", optional_json(bytes)}, {"ratio", optional_json(ratio(bytes, column.bound))}};
  };
  for (size_t r = 0; r < column.rules.size(); ++r) rules[rivals::rules()[r].name] = both(column.rules[r]);
  return {{"dims", dims},
          {"lower_bound_bytes", optional_json(column.bound)},
          {"plan", both(column.ours)},
          {"rules", rules}};
}

Json rules_json() {
  Json out = Json::array();
  for (const rivals::Rule& r : rivals::rules())
    out.push_back({{"name", r.name},
                   {"title", r.title},
                   {"used_by", r.used_by},
                   {"source", r.source},
                   {"replans", r.replans}});
  return out;
}

// One phase as text and as JSON; false where it admits none of the sizes.
bool compare_phase(const Plan& plan, const PhaseReport& phase, const rivals::Problem& problem,
                   const std::vector<ChosenSizes>& chosen, std::string* text, Json* phases) {
  std::vector<Sweep> sets;
  if (chosen.empty()) {
    sets = sweeps(plan, phase, problem);
  } else if (Sweep one = chosen_sweep(plan, phase, chosen); !one.columns.empty()) {
    sets.push_back(std::move(one));
  }
  Json out = Json::array();
  for (const Sweep& set : sets) {
    const std::vector<SizeColumn> columns = compared(plan, phase, problem, set.columns);
    *text += table_text(plan, phase, columns);
    Json sizes = Json::array();
    for (const SizeColumn& column : columns) sizes.push_back(column_json(plan, column));
    out.push_back({{"dim", set.dim}, {"sizes", std::move(sizes)}});
  }
  phases->push_back({{"name", phase.phase->name}, {"sweeps", std::move(out)}});
  return !sets.empty();
}

}  // namespace

Result<Comparison> compare(const Report& report, const std::string& only,
                           const std::vector<ChosenSizes>& chosen) {
  const Plan& plan = *report.plan;
  std::string text = introduction(plan);
  Json phases = Json::array();
  bool any = false;
  for (const PhaseReport& phase : report.phases) {
    if (!only.empty() && phase.phase->name != only) continue;
    const rivals::Problem problem = rivals::problem_of(plan, *phase.phase);
    if (problem.buffers.size() > kMostBuffers)
      return Error{"phase " + phase.phase->name + " has " + std::to_string(problem.buffers.size()) +
                   " buffers; at most " + std::to_string(kMostBuffers) + " are compared"};
    any = compare_phase(plan, phase, problem, chosen, &text, &phases) || any;
  }
  if (!any) return Error{"no phase allows these sizes; `irplan explain` without --compare lists the ranges"};
  const Json json = {{"source", plan.source_file},
                     {"align", plan.align},
                     {"note", kSameBuffers},
                     {"rules", rules_json()},
                     {"phases", phases}};
  return Comparison{printable(text + sources(), Lines::Many),
                    json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
}

}  // namespace irplan::report
