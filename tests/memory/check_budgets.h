// A random program with random budgets: every answer of its plan found again from the plan's formulas, and
// every change that it names planned.
#pragma once

#include <string>
#include <vector>

#include "memory/random_budgets.h"

namespace irplan::memory_test {

// What was looked at.
struct BudgetTally {
  int64_t programs = 0, budgets = 0, met = 0;  // met: at all declared sizes
  int64_t answers = 0;                         // largest and least sizes, and points of frontiers
  int64_t changes = 0;                         // planned
  void add(const BudgetTally& other) {
    programs += other.programs, budgets += other.budgets, met += other.met;
    answers += other.answers, changes += other.changes;
  }
};

class BudgetCheck {
 public:
  BudgetCheck(const Plan& plan, const std::vector<Limit>& limits, Random& random, BudgetTally& tally)
      : plan_(plan), limits_(limits), formulas_(plan), random_(random), tally_(tally) {}

  // What is wrong with what the plan says, empty where nothing is.
  std::string run() {
    if (plan_.budget.size() != limits_.size()) return "not every budget is answered";
    for (const Plan::Phase& phase : plan_.phases) {
      if (std::string wrong = tokens(phase); !wrong.empty()) return phase.name + ".tokens: " + wrong;
    }
    if (std::string wrong = largest_values(nullptr); !wrong.empty()) return wrong;
    for (const Plan::Phase& phase : plan_.phases) {
      if (std::string wrong = largest_values(&phase); !wrong.empty()) return phase.name + ": " + wrong;
    }
    for (size_t i = 0; i < limits_.size(); ++i) {
      if (std::string wrong = budget(limits_[i], plan_.budget[i]); !wrong.empty())
        return "budget " + plan_.budget[i].expr + ": " + wrong;
    }
    return "";
  }

 private:
  using Phases = std::vector<const Plan::Phase*>;

  std::string budget(const Limit& limit, const Plan::Budget& budget) {
    ++tally_.budgets;
    tally_.met += budget.ok;
    if (budget.phase != limit.phase) return "is of another phase";
    if (limit.bytes() && budget.limit_bytes != limit.most) return "has another limit";
    Phases phases;
    for (const Plan::Phase& phase : plan_.phases) {
      if (limit.phase.empty() || limit.phase == phase.name) phases.push_back(&phase);
    }
    const bool own = !limit.phase.empty() || plan_.phases.size() == 1;
    if (std::string wrong = answer(limit, budget, phases, own ? phases[0] : nullptr); !wrong.empty())
      return wrong;
    if (limit.bytes() && phases.size() > 1 && budget.phases.size() != phases.size())
      return "not every phase is answered";
    for (size_t p = 0; p < budget.phases.size(); ++p) {
      if (budget.phases[p].phase != phases[p]->name) return "phases are in another order";
      if (std::string wrong = answer(limit, budget.phases[p], {phases[p]}, phases[p]); !wrong.empty())
        return phases[p]->name + ": " + wrong;
    }
    for (const Plan::Change& change : budget.changes) {
      if (change.ok && change.bytes > limit.most) return change.change + " is ok above the limit";
    }
    return "";
  }

  // Of phases, or of one at its own sizes.
  std::string answer(const Limit& limit, const Plan::Answer& answer, const Phases& phases,
                     const Plan::Phase* own) {
    const Binding value = values(own);
    const Ranges ranges = ranges_in(plan_, own ? *own : Plan::Phase());
    if (answer.used_bytes.has_value() != limit.bytes()) return "used_bytes are there or not";
    int64_t at_values = 0;
    for (const Plan::Phase* phase : phases)
      at_values = std::max(at_values, formulas_.used(limit, *phase, values(phase)));
    if (limit.bytes() && *answer.used_bytes != at_values)
      return "used_bytes are " + std::to_string(at_values);
    for (size_t d = 0; d < plan_.dims.size(); ++d) {
      if (std::string wrong = largest(limit, answer, phases, value, ranges[d], d); !wrong.empty())
        return wrong;
    }
    for (const Plan::Frontier& frontier : answer.frontier) {
      if (std::string wrong = points(limit, frontier, phases, value, ranges); !wrong.empty()) return wrong;
    }
    return everywhere(limit, answer.ok, phases);
  }

  std::string largest(const Limit& limit, const Plan::Answer& answer, const Phases& phases,
                      const Binding& value, const Interval& range, size_t d) {
    const std::string& name = plan_.dims[d].name;
    const auto with = [&](int64_t n) {
      Binding at = value;
      return at[d] = n, at;
    };
    const auto found = std::find_if(answer.max.begin(), answer.max.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (found == answer.max.end()) {
      if (used(limit, phases, with(range.hi)) != used(limit, phases, with(range.lo)) && range.lo != range.hi)
        return name + " matters, and has no max";
    } else {
      ++tally_.answers;
      const int64_t most = found->second;
      if (most < range.lo || most > range.hi) return "max " + name + " is outside of its range";
      if (!fits(limit, phases, with(most)))
        return "max " + name + " = " + std::to_string(most) + " does not fit";
      if (most < range.hi && fits(limit, phases, with(most + 1)))
        return "max " + name + " = " + std::to_string(most) + ", and one more fits";
    }
    const bool placed = limit.bytes() && limit.of[3] > 0;
    for (const auto& [dim, least] : answer.beyond) {
      if (dim != name) continue;
      ++tally_.answers;
      if (!placed) return "beyond without an arena";
      if (fits(limit, phases, with(least), true)) return "beyond " + name + " fits";
      if (least > range.lo && !fits(limit, phases, with(least - 1), true))
        return "beyond " + name + " is not the least";
      return "";
    }
    if (placed && !fits(limit, phases, with(range.hi), true)) return name + " has no beyond";
    return "";
  }

  // No point admits more of its second dim.
  std::string points(const Limit& limit, const Plan::Frontier& frontier, const Phases& phases,
                     const Binding& value, const Ranges& ranges) {
    const size_t first = *plan_.pool->find(frontier.first), second = *plan_.pool->find(frontier.second);
    for (const auto& [n, m] : frontier.points) {
      ++tally_.answers;
      Binding at = value;
      at[first] = n, at[second] = m;
      const std::string point = frontier.first + " = " + std::to_string(n) + ", " + frontier.second + " = " +
                                std::to_string(m) + " on the frontier";
      if (!ranges[first].contains(n) || !ranges[second].contains(m)) return point + " is outside";
      if (!fits(limit, phases, at)) return point + " does not fit";
      at[second] = m + 1;
      if (m < ranges[second].hi && fits(limit, phases, at)) return point + " is not the most";
    }
    return "";
  }

  // Whether it holds at all sizes that ranges and other guards admit, by looking for one that breaks it.
  std::string everywhere(const Limit& limit, bool ok, const Phases& phases) {
    if (!limit.bytes()) return "";  // a guard of the plan, or in its ranges
    for (int tries = 0; tries < (ok ? 24 : 400); ++tries) {
      for (const Plan::Phase* phase : phases) {
        const Binding at = formulas_.random_corner(*phase, ranges_in(plan_, *phase), random_);
        if (formulas_.used(limit, *phase, at) <= limit.most) continue;
        return ok ? "is ok, and takes " + std::to_string(formulas_.used(limit, *phase, at)) + " at" +
                        sizes(at) + " in " + phase->name
                  : "";
      }
    }
    return ok ? "" : "is not ok, and holds wherever it was tried";
  }

  // The largest value of a dim of which every phase has a range of its own; none of others.
  std::optional<int64_t> largest_of_phases(const std::string& name) const {
    int64_t most = 0;
    for (const Plan::Phase& phase : plan_.phases) {
      const auto own = std::find_if(phase.dims.begin(), phase.dims.end(),
                                    [&](const Plan::PhaseDim& d) { return d.name == name; });
      if (own == phase.dims.end()) return std::nullopt;
      most = std::max(most, own->value);
    }
    return most;
  }

  // In their order dims have the largest sizes that ranges, guards and budgets admit with later ones at their
  // least; in a phase those that it narrows.
  std::string largest_values(const Plan::Phase* own) const {
    const Ranges ranges = ranges_in(plan_, own ? *own : Plan::Phase());
    Binding at = values(own);
    std::vector<size_t> chosen;
    bool of_phases = false;  // then no phase has all these values, and each phase's own are asked alone
    for (size_t d = 0; d < at.size(); ++d) {
      if (const auto most = own ? std::nullopt : largest_of_phases(plan_.dims[d].name)) {
        if (at[d] != *most) return "the value of " + plan_.dims[d].name + " is that of no phase";
        of_phases = true;
        continue;
      }
      if (!own) chosen.push_back(d);
      for (const Plan::PhaseDim& dim : own ? own->dims : std::vector<Plan::PhaseDim>()) {
        if (dim.name == plan_.dims[d].name) chosen.push_back(d);
      }
    }
    if (of_phases) return "";
    if (!all_hold(at, own)) return "budgets or guards do not hold at the values" + sizes(at);
    for (auto d = chosen.rbegin(); d != chosen.rend(); ++d) {
      const std::string name = plan_.dims[*d].name;
      ++at[*d];
      if (at[*d] <= ranges[*d].hi && all_hold(at, own)) return "the value of " + name + " could be larger";
      at[*d] = ranges[*d].lo;
    }
    return "";
  }

  // At global sizes as each phase has them, or in one phase.
  bool all_hold(const Binding& at, const Plan::Phase* own) const {
    if (!own && !admitted(plan_, Plan::Phase(), at)) return false;
    for (const Plan::Phase& phase : plan_.phases) {
      if (own && own != &phase) continue;
      const Binding sizes = own ? at : formulas_.brought_into(phase, at);
      if (!admitted(plan_, phase, sizes)) return false;
      for (const Limit& limit : limits_) {
        const bool asked = limit.phase.empty() || limit.phase == phase.name;
        if (asked && formulas_.used(limit, phase, sizes) > limit.most) return false;
      }
    }
    return true;
  }

  // The first input with two axes has a step's tokens; states grow by the row, rings by the sequence.
  std::string tokens(const Plan::Phase& phase) const {
    Evaluator size(*plan_.pool, values(&phase));
    const auto axis = [&](const Plan::Value& v, size_t a) { return *size(v.shape[a]); };
    Plan::Tokens expected;
    for (const Plan::Value& v : plan_.values) {
      if (v.kind == Plan::Kind::Input && expected.a_step == 0 && v.shape.size() > 1)
        expected.a_step = axis(v, 0) * axis(v, 1);
      if (v.kind != Plan::Kind::State) continue;
      int64_t row = info(v.dtype).bytes;
      for (size_t a = 2; a < v.shape.size(); ++a) row *= axis(v, a);
      if (v.layout == Plan::Layout::Ring)
        expected.ring_bytes_each_sequence += row * axis(v, 1);
      else
        expected.state_bytes_each += row;
    }
    expected.arena_bytes_each = formulas_.bytes(phase, values(&phase))[3] / expected.a_step;
    const Plan::Tokens& told = phase.tokens;
    if (told.a_step != expected.a_step) return "a step has " + std::to_string(expected.a_step);
    if (told.arena_bytes_each != expected.arena_bytes_each) return "the arena's bytes";
    if (told.state_bytes_each != expected.state_bytes_each) return "the states' bytes";
    if (told.ring_bytes_each_sequence != expected.ring_bytes_each_sequence) return "the rings' bytes";
    return "";
  }

  // The sizes at which plain numbers hold, of all phases or of one.
  Binding values(const Plan::Phase* own) const {
    Binding out;
    for (const Plan::Dim& dim : plan_.dims) out.push_back(dim.value);
    if (!own) return out;
    for (const Plan::PhaseDim& dim : own->dims) out[*plan_.pool->find(dim.name)] = dim.value;
    return out;
  }

  int64_t used(const Limit& limit, const Phases& phases, const Binding& at, bool alive = false) const {
    // Of dims at the global sizes too: those are written beside the guard.
    int64_t most = limit.bytes() || !limit.phase.empty() ? 0 : formulas_.used(limit, Plan::Phase(), at);
    for (const Plan::Phase* phase : phases)
      most = std::max(most, formulas_.used(limit, *phase, formulas_.brought_into(*phase, at), alive));
    return most;
  }
  bool fits(const Limit& limit, const Phases& phases, const Binding& at, bool alive = false) const {
    return used(limit, phases, at, alive) <= limit.most;
  }

  std::string sizes(const Binding& at) const {
    std::string out;
    for (size_t d = 0; d < at.size(); ++d) out += " " + plan_.dims[d].name + "=" + std::to_string(at[d]);
    return out;
  }

  const Plan& plan_;
  const std::vector<Limit>& limits_;
  const Formulas formulas_;
  Random& random_;
  BudgetTally& tally_;
};

// ---- what the plan names is planned

class ChangeCheck {
 public:
  ChangeCheck(std::string text, const CompileOptions& options, const Plan& plan,
              const std::vector<Limit>& limits, Random& random, BudgetTally& tally)
      : text_(std::move(text)),
        options_(options),
        plan_(plan),
        limits_(limits),
        random_(random),
        tally_(tally) {}

  std::string run() {
    for (size_t i = 0; i < plan_.budget.size(); ++i) {
      for (const Plan::Change& change : plan_.budget[i].changes) {
        ++tally_.changes;
        if (std::string wrong = made(i, change); !wrong.empty())
          return "budget " + plan_.budget[i].expr + ": " + change.change + ": " + wrong;
      }
    }
    for (const Plan::Lighter& lighter : plan_.memory.lighter) {
      ++tally_.changes;
      if (std::string wrong = lightened(lighter); !wrong.empty()) return lighter.change + ": " + wrong;
    }
    return "";
  }

 private:
  // "budget decode.B <= 8", "--let rows=100", "--retype state=f8e4m3", and its number raised.
  struct Made {
    std::string text;
    CompileOptions options;
  };
  Made with(const std::string& change, int64_t more) const {
    Made out{text_, options_};
    const size_t equals = change.rfind('='), space = change.find(' ');
    const std::string name = change.substr(space + 1, equals - space - 1), value = change.substr(equals + 1);
    if (change.rfind("budget ", 0) == 0)
      out.text += change.substr(0, equals + 1) + " " + std::to_string(std::stoll(value) + more) + "\n";
    else if (change.rfind("--let ", 0) == 0)
      out.options.lets.emplace_back(name, std::to_string(std::stoll(value) + more));
    else
      out.options.retypes.emplace_back(name, value);
    return out;
  }

  Result<Plan> planned(const Made& made) const {
    return read_plan(compile(SourceText("random.irplan", made.text), made.options).plan_json);
  }

  // The most of what a limit is of that could be found in a plan.
  int64_t most_found(const Plan& plan, const Limit& limit) {
    const Formulas formulas(plan);
    int64_t most = 0;
    for (const Plan::Phase& phase : plan.phases) {
      if (!limit.phase.empty() && limit.phase != phase.name) continue;
      for (int tries = 0; tries < 12; ++tries)
        most = std::max(most, formulas.used(limit, phase,
                                            formulas.random_corner(phase, ranges_in(plan, phase), random_)));
    }
    return most;
  }

  std::string made(size_t index, const Plan::Change& change) {
    const auto ok = [&](const Made& made) {
      const auto plan = planned(made);
      return plan && plan->budget[index].ok;
    };
    if (const auto plan = planned(with(change.change, 0))) {
      const int64_t found = most_found(*plan, limits_[index]);
      if (found > change.bytes)
        return "takes " + std::to_string(found) + ", not " + std::to_string(change.bytes);
    }
    if (change.ok) {
      if (!ok(with(change.change, 0))) return "is not met then";
      const bool numbered = change.change.rfind("--retype", 0) != 0;
      return numbered && ok(with(change.change, 1)) ? "one more is met as well" : "";
    }
    if (ok(with(change.change, 0))) return "is met then";
    const auto& [dim, most] = change.max.at(0);
    const std::string own = plan_.budget[index].phase.empty() ? "" : plan_.budget[index].phase + ".";
    for (const int64_t more : {0, 1}) {
      Made narrowed = with(change.change, 0);
      narrowed.text += "budget " + own + dim + " <= " + std::to_string(most + more) + "\n";
      if (ok(narrowed) != (more == 0)) return dim + " <= " + std::to_string(most + more) + " says otherwise";
    }
    return "";
  }

  // The bytes of all segments at the same sizes, of the plan with the change. With a dim halved they are
  // those of this very plan; one made for that size may have another order.
  std::string lightened(const Plan::Lighter& lighter) const {
    const size_t equals = lighter.change.find('='), space = lighter.change.find(' ');
    const std::string name = lighter.change.substr(space + 1, equals - space - 1);
    Made made{text_, options_};
    std::optional<int64_t> half;
    if (lighter.change.rfind("--dim ", 0) == 0) {
      half = std::stoll(lighter.change.substr(equals + 1));
      made.options.dims.emplace_back(name, *half);
    } else {
      made.options.retypes.emplace_back(name, lighter.change.substr(equals + 1));
    }
    const auto plan = planned(made);
    if (!plan) return "there is no plan";
    const int64_t anew = bytes_at_values(*plan, name, half), now = bytes_at_values(plan_, name, half);
    if ((half ? now : anew) != lighter.bytes)
      return "takes " + std::to_string(half ? now : anew) + ", not " + std::to_string(lighter.bytes);
    if (anew > lighter.bytes + lighter.bytes / kElsewhere) return "planned takes " + std::to_string(anew);
    return "";
  }

  // What a plan takes at the sizes of the first one's values, a dim of them halved.
  int64_t bytes_at_values(const Plan& plan, const std::string& name, std::optional<int64_t> half) const {
    const Formulas formulas(plan);
    int64_t most = 0;
    for (size_t p = 0; p < plan_.phases.size(); ++p) {
      Binding at;
      for (const Plan::Dim& dim : plan_.dims) at.push_back(dim.value);
      for (const Plan::PhaseDim& dim : plan_.phases[p].dims) at[*plan_.pool->find(dim.name)] = dim.value;
      if (half) {
        int64_t& size = at[*plan_.pool->find(name)];
        size = std::min(size, *half);
        at = formulas.brought_into(plan_.phases[p], at);
      }
      const auto all = formulas.bytes(plan.phases[p], at);
      most = std::max(most, all[0] + all[1] + all[2] + all[3]);
    }
    return most;
  }

  static constexpr int64_t kElsewhere = 10;  // part by which a plan for other sizes may differ at these
  const std::string text_;
  const CompileOptions& options_;
  const Plan& plan_;
  const std::vector<Limit>& limits_;
  Random& random_;
  BudgetTally& tally_;
};

// What is wrong, empty where nothing is.
inline std::string check_budgets(uint64_t seed, int64_t most_ops, Features features, BudgetTally& tally) {
  Random random(seed);
  std::string text = random_program(random, most_ops, features);
  CompileOptions options;
  options.keep_order = random.chance(50);
  options.advise = false;
  const auto compiled = [&] { return compile(SourceText("random.irplan", text), options); };
  const auto fault = [&](const std::string& what) {
    return "seed " + std::to_string(seed) + ", budgets: " + what + "\n" + text;
  };
  const auto free = read_plan(compiled().plan_json);
  if (!free) return fault("no plan: " + free.message());
  std::vector<Limit> limits;
  for (int64_t i = 1 + random.below(3); i > 0; --i) {
    limits.push_back(random_limit(*free, random));
    text += "budget " + limits.back().text() + "\n";
  }
  options.advise = true;
  const Compilation done = compiled();
  ++tally.programs;
  if (!done.ok) return fault("no plan: " + done.diagnostics.list()[0].message);
  const auto plan = read_plan(done.plan_json);
  if (!plan) return fault("the plan is not read: " + plan.message());
  if (const auto findings = validate_plan(*plan); !findings.empty()) return fault(findings[0]);
  if (std::string wrong = BudgetCheck(*plan, limits, random, tally).run(); !wrong.empty())
    return fault(wrong);
  options.advise = false;
  const std::string wrong = ChangeCheck(text, options, *plan, limits, random, tally).run();
  return wrong.empty() ? "" : fault(wrong);
}

}  // namespace irplan::memory_test
