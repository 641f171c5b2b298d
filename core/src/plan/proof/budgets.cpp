// Budgets: what their texts say, and every answer that they are given, computed again.
#include <algorithm>

#include "plan/proof/budget_text.h"
#include "plan/proof/proof.h"

namespace irplan::proof {
namespace {

constexpr int64_t kFarthest = int64_t{1}
                              << 40;  // sizes that answers speak of, where a dim has no upper bound
constexpr size_t kMovingDims = 16;    // of a limit that moves with them, those that are looked at
constexpr size_t kPairedDims = 3;     // dims of which pairs get a frontier, the first ones

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

// "--let NAME=VALUE" and the like: the parts behind the prefix, none where the text is not of that form.
std::optional<std::pair<std::string, std::string>> assignment(std::string_view text, std::string_view prefix,
                                                              std::string_view sign) {
  if (text.substr(0, prefix.size()) != prefix) return std::nullopt;
  text.remove_prefix(prefix.size());
  const size_t at = text.find(sign);
  if (at == std::string_view::npos) return std::nullopt;
  const auto name = text.substr(0, at), value = text.substr(at + sign.size());
  if (!is_name(name) || !is_name(value)) return std::nullopt;
  return std::pair(std::string(name), std::string(value));
}

}  // namespace

class Budgets {
 public:
  explicit Budgets(Proof& proof) : proof_(proof), plan_(proof.plan_) {
    for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
      if (plan_.buffers[i].segment != Plan::Segment::Arena && proof_.counts_[i])
        ++sizes_[static_cast<size_t>(plan_.buffers[i].segment)]
              .try_emplace(plan_.buffers[i].bytes.index(), plan_.buffers[i].bytes, 0)
              .first->second.second;
    }
  }

  bool run() {
    for (const Plan::Budget& budget : plan_.budget) {
      if (proof_.full()) break;
      check(budget);
    }
    return proof_.clean();
  }

 private:
  // What a budget asks, of all its phases or of one alone.
  struct Question {
    const Plan::Budget& budget;
    std::optional<Constraint> over_dims;  // of a budget over dims, where its text tells
    bool bytes = false;
    uint32_t phase = Proof::kAnyPhase;
  };

  bool refuse(Rule rule, const std::string& what, Site site = Site::here()) {
    return proof_.refuse(rule, where_, what, site);
  }

  void check(const Plan::Budget& budget) {
    where_ = "budget " + budget.expr.substr(0, 60);
    Question question{budget, std::nullopt, budget.limit.has_value(), proof_.phase_index(budget.phase)};
    if (!budget.phase.empty() && question.phase == Proof::kAnyPhase) {
      refuse(Rule::BudgetPhase, "there is no phase " + budget.phase);
      return;
    }
    check_text(question);
    check_limit(question);
    if (!question.bytes && !question.over_dims) return check_names(budget);
    check_answer(question, budget);
    check_phases(question);
    for (const Plan::Change& change : budget.changes) check_change(question, change);
    if (Proof::too_much(proof_.search_work_, kMostWork))
      refuse(Rule::Work, "its answers take too many steps to follow");
  }

  // ---- the text
  void check_text(Question& question) {
    const Plan::Budget& budget = question.budget;
    const auto text = read_budget(budget.expr, plan_);
    if (!text) {
      refuse(Rule::BudgetText, "is no comparison");
      return;
    }
    if (!text->phase.empty() && text->phase != budget.phase)
      refuse(Rule::BudgetText, "speaks of phase " + text->phase + ", and is one of " + budget.phase);
    if (text->bytes && !question.bytes) refuse(Rule::BudgetText, "counts bytes, and has no limit of them");
    if (!text->left || !text->right) return;
    if (text->phase != budget.phase)
      refuse(Rule::BudgetText, "speaks of all phases, and is one of " + budget.phase);
    if (text->bytes != question.bytes) {
      refuse(Rule::BudgetText,
             text->bytes ? "counts bytes, and has no limit of them" : "counts no bytes, and has a limit");
      return;
    }
    if (!question.bytes) {
      question.over_dims = Constraint{text->left->rest, text->relation, text->right->rest};
      return;
    }
    const bool turned = text->relation == Relation::GreaterEqual;
    const BudgetSide &used = turned ? *text->right : *text->left,
                     &limit = turned ? *text->left : *text->right;
    const auto differ = [&](auto member) {
      return used.counts.*member - limit.counts.*member != budget.counts.*member;
    };
    const Expr rest = limit.rest - used.rest;
    if (differ(&Plan::Segments::weights) || differ(&Plan::Segments::state) ||
        differ(&Plan::Segments::inputs) || differ(&Plan::Segments::arena))
      refuse(Rule::BudgetText, "counts other segments than its text");
    if (!(rest == *budget.limit))
      refuse(Rule::BudgetText, "has the limit " + budget.limit->text().substr(0, 60) + ", its text says " +
                                   rest.text().substr(0, 60));
  }

  void check_limit(const Question& question) {
    const Plan::Budget& budget = question.budget;
    if (!question.bytes) {
      if (budget.limit_bytes || budget.used_bytes)
        refuse(Rule::BudgetLimit, "limits no bytes, and tells some");
      return;
    }
    const auto limit = evaluate(*budget.limit, proof_.values_in(question.phase));
    if (!budget.limit_bytes || !limit || *limit != *budget.limit_bytes)
      refuse(Rule::BudgetLimit,
             "limit_bytes is not what " + budget.limit->text().substr(0, 60) + " is at the plan's sizes");
  }

  // Of a budget whose text cannot be read: at least dims that there are, with sizes in their ranges.
  void check_names(const Plan::Answer& answer) {
    for (const Plan::Sizes* sizes : {&answer.max, &answer.beyond}) {
      for (const auto& [name, size] : *sizes)
        check_size(Rule::BudgetMost, name, size, proof_.phase_index(answer.phase));
    }
    for (const Plan::Frontier& f : answer.frontier) {
      for (const auto& [a, b] : f.points)
        check_size(Rule::BudgetFrontier, f.first, a, proof_.phase_index(answer.phase)),
            check_size(Rule::BudgetFrontier, f.second, b, proof_.phase_index(answer.phase));
      check_falling(f);
    }
  }

  std::optional<DimIndex> check_size(Rule rule, const std::string& name, int64_t size, uint32_t phase) {
    const auto dim = plan_.pool->find(name);
    if (!dim || *dim >= plan_.dims.size() || !range(*dim, phase).contains(size)) {
      refuse(rule, name.substr(0, 60) + "=" + std::to_string(size) + " is no size of a dim of the plan");
      return std::nullopt;
    }
    return dim;
  }

  // ---- measures
  Interval range(DimIndex dim, uint32_t phase) const {
    const Interval all = proof_.facts(phase).ranges()[dim];
    return {all.lo, std::min(all.hi, kFarthest)};
  }

  bool speaks_of(const Question& question, uint32_t phase) const {
    return question.phase == Proof::kAnyPhase || question.phase == phase;
  }

  std::optional<int64_t> sum(size_t segment, Evaluator& at) {
    int64_t total = 0;
    for (const auto& [index, size] : sizes_[segment]) {
      const auto bytes = at(size.first);
      ++proof_.search_work_;
      if (!bytes || *bytes < 0 || *bytes > INT64_MAX - plan_.align) return std::nullopt;
      int64_t part = (*bytes + plan_.align - 1) / plan_.align * plan_.align;
      if (__builtin_mul_overflow(part, size.second, &part) || __builtin_add_overflow(total, part, &total))
        return std::nullopt;
    }
    return total;
  }

  // Bytes that count in a phase at a binding: as placed, or the least that any placement of this order takes.
  std::optional<int64_t> used(const Question& question, uint32_t phase, const Binding& binding, bool bound) {
    const Plan::Segments& counts = question.budget.counts;
    Evaluator at(*plan_.pool, binding);
    const auto weights = sum(static_cast<size_t>(Plan::Segment::Weights), at),
               state = sum(static_cast<size_t>(Plan::Segment::State), at),
               inputs = sum(static_cast<size_t>(Plan::Segment::Inputs), at);
    std::optional<int64_t> arena;
    if (bound) {
      arena = proof_.live_bytes(phase, at, false, nullptr);
      proof_.search_work_ += plan_.buffers.size();
    } else if (proof_.peak_proven_[phase]) {
      arena = at(*plan_.phases[phase].peak);
    } else {
      const auto placed = bind_arena(plan_, plan_.phases[phase].name, binding);
      if (placed) arena = placed->bytes;
      proof_.search_work_ += plan_.buffers.size();
    }
    if (!weights || !state || !inputs || !arena) return std::nullopt;
    return sum_of_products({{counts.weights, *weights},
                            {counts.state, *state},
                            {counts.inputs, *inputs},
                            {counts.arena, *arena}});
  }

  // Global sizes as a phase has them: what it fixes or narrows is brought into its range.
  Binding brought_in(uint32_t phase, Binding binding) const {
    for (const Plan::PhaseDim& dim : plan_.phases[phase].dims) {
      int64_t& size = binding[*plan_.pool->find(dim.name)];
      size = std::clamp(size, dim.min, dim.max.value_or(INT64_MAX));
    }
    return binding;
  }

  bool keeps(const Question& question, const Binding& binding) const {
    const auto a = evaluate(question.over_dims->left, binding),
               b = evaluate(question.over_dims->right, binding);
    return a && b && holds(*a, question.over_dims->relation, *b);
  }

  bool fits(const Question& question, const Binding& binding, bool bound = false) {
    if (!question.bytes && question.phase == Proof::kAnyPhase && !keeps(question, binding)) return false;
    for (uint32_t p = 0; p < plan_.phases.size(); ++p) {
      if (!speaks_of(question, p)) continue;
      const Binding own = brought_in(p, binding);
      if (!question.bytes) {
        if (!keeps(question, own)) return false;
        continue;
      }
      const auto bytes = used(question, p, own, bound), limit = evaluate(*question.budget.limit, own);
      if (!bytes || !limit || *bytes > *limit) return false;
    }
    return true;
  }

  // Whether `size` is the largest of the dim that fits, the others as in the binding; its least where none
  // does.
  bool is_largest(const Question& question, Binding binding, DimIndex dim, int64_t size, bool bound = false) {
    const Interval all = range(dim, question.phase);
    const auto good = [&](int64_t n) { return binding[dim] = n, fits(question, binding, bound); };
    return all.contains(size) && (size == all.lo || good(size)) && (size == all.hi || !good(size + 1));
  }

  // Dims with which what the budget speaks of changes.
  std::vector<DimIndex> dims_that_matter(const Question& question) {
    std::vector<uint8_t> speaks(plan_.dims.size(), 0);
    const auto add = [&](Expr e) {
      for (const DimIndex dim : dims_of(e)) speaks[dim] = 1;
    };
    if (!question.bytes) {
      add(question.over_dims->left - question.over_dims->right);
    } else {
      const Plan::Segments& counts = question.budget.counts;
      add(*question.budget.limit);
      const auto sized = [&](int64_t count, Plan::Segment segment) {
        if (count <= 0) return;
        for (const auto& [index, size] : sizes_[static_cast<size_t>(segment)]) add(size.first);
      };
      sized(counts.weights, Plan::Segment::Weights);
      sized(counts.state, Plan::Segment::State);
      sized(counts.inputs, Plan::Segment::Inputs);
      for (uint32_t p = 0; p < plan_.phases.size() && counts.arena > 0; ++p) {
        if (!speaks_of(question, p)) continue;
        for (const uint32_t b : proof_.arena_[p]) add(plan_.buffers[b].bytes);
      }
    }
    std::vector<DimIndex> out;
    for (DimIndex d = 0; d < speaks.size(); ++d) {
      const bool fixed = question.bytes && question.phase != Proof::kAnyPhase &&
                         range(d, question.phase).lo == range(d, question.phase).hi;
      if (speaks[d] && !fixed) out.push_back(d);
    }
    return out;
  }

  // ---- answers
  void check_answer(const Question& question, const Plan::Answer& answer) {
    if (question.bytes) check_used(question, answer);
    check_ok(question, answer);
    if (out_of_work() && answer.max.empty() && answer.beyond.empty() && answer.frontier.empty()) return;
    const auto dims = dims_that_matter(question);
    check_most(question, answer, dims);
    check_beyond(question, answer, dims);
    check_frontiers(question, answer, dims);
  }

  // A compiler that ran out of work says so, and may leave answers out; what is told is checked all the same.
  bool out_of_work() const { return plan_.diagnostics.find("\"W0501\"") != std::string::npos; }

  void check_used(const Question& question, const Plan::Answer& answer) {
    int64_t most = 0;
    for (uint32_t p = 0; p < plan_.phases.size(); ++p) {
      if (speaks_of(question, p))
        most = std::max(most, used(question, p, proof_.values_in(p), false).value_or(0));
    }
    if (answer.used_bytes != most)
      refuse(Rule::BudgetUsed, "uses " + std::to_string(answer.used_bytes.value_or(0)) + " bytes, expected " +
                                   std::to_string(most));
  }

  // Nothing falls as a dim rises, so the largest sizes decide where ranges and guards admit them all.
  void check_ok(const Question& question, const Plan::Answer& answer) {
    const bool told = answer.ok;
    if (!question.bytes) {
      const Constraint& c = *question.over_dims;
      const bool always =
          decide(c.left, c.relation, c.right, proof_.facts(question.phase).ranges()) == Truth::Yes;
      if (told != always)
        refuse(Rule::BudgetOk, told ? "is ok, and some sizes break it" : "is not ok, and no size breaks it");
      return;
    }
    bool bounded = true, all = true, decided = true;
    for (const Plan::Dim& dim : plan_.dims) bounded = bounded && dim.max;
    for (uint32_t p = 0; p < plan_.phases.size() && bounded; ++p) {
      if (!speaks_of(question, p)) continue;
      Binding top;
      for (DimIndex d = 0; d < plan_.dims.size(); ++d) top.push_back(range(d, p).hi);
      const auto bytes = used(question, p, top, false), limit = evaluate(*question.budget.limit, top);
      const bool fits = bytes && limit && *bytes <= *limit;
      // The limit may fall where the sizes rise.
      const bool steady = question.budget.limit->is_constant();
      if (fits && steady) continue;
      all = false;
      decided = decided && steady && admitted(p, top);
    }
    if (told && !bounded) refuse(Rule::BudgetOk, "is ok, and a dim has no largest size");
    if (told && bounded && !all && decided) refuse(Rule::BudgetOk, "is ok, and the largest sizes break it");
    if (!told && bounded && all) refuse(Rule::BudgetOk, "is not ok, and the largest sizes keep it");
    if (told && !question.budget.limit->is_constant()) check_moving_limit(question);
    if (told && answer.used_bytes && question.budget.limit_bytes &&
        *answer.used_bytes > *question.budget.limit_bytes && question.budget.limit->is_constant())
      refuse(Rule::BudgetOk, "is ok with more bytes than its limit");
  }

  // Of a limit that moves with sizes: at the corners of the ranges, and where one of its dims is at the other
  // end than all others.
  void check_moving_limit(const Question& question) {
    auto dims = dims_of(*question.budget.limit);
    if (dims.size() > kMovingDims) dims.resize(kMovingDims);
    for (uint32_t p = 0; p < plan_.phases.size(); ++p) {
      if (!speaks_of(question, p)) continue;
      for (const bool high : {false, true}) {
        const auto end = [&](DimIndex d, bool at_top) { return at_top ? range(d, p).hi : range(d, p).lo; };
        Binding corner;
        for (DimIndex d = 0; d < plan_.dims.size(); ++d) corner.push_back(end(d, high));
        bool keeps = !breaks(question, p, corner);
        for (const DimIndex d : dims) {
          Binding other = corner;
          other[d] = end(d, !high);
          keeps = keeps && !breaks(question, p, other);
        }
        if (keeps) continue;
        refuse(Rule::BudgetOk, "is ok, and sizes that phase " + plan_.phases[p].name + " admits break it");
        return;
      }
    }
  }
  bool breaks(const Question& question, uint32_t phase, const Binding& binding) {
    if (!admitted(phase, binding)) return false;
    const auto bytes = used(question, phase, binding, false),
               limit = evaluate(*question.budget.limit, binding);
    return !bytes || !limit || *bytes > *limit;
  }

  bool admitted(uint32_t phase, const Binding& binding) const {
    return std::all_of(plan_.guards.begin(), plan_.guards.end(), [&](const Plan::Guard& g) {
      if (!g.phase.empty() && g.phase != plan_.phases[phase].name) return true;
      const auto a = evaluate(g.left, binding), b = evaluate(g.right, binding);
      return a && b && holds(*a, g.relation, *b);
    });
  }

  void check_most(const Question& question, const Plan::Answer& answer, const std::vector<DimIndex>& dims) {
    bool same = answer.max.size() == dims.size();
    for (size_t i = 0; i < dims.size() && same; ++i) same = answer.max[i].first == plan_.dims[dims[i]].name;
    if (!same) {
      refuse(Rule::BudgetMost, "tells the largest sizes of other dims than those that it depends on");
      return;
    }
    const Binding value = proof_.values_in(question.phase);
    for (size_t i = 0; i < dims.size(); ++i) {
      const auto& [name, size] = answer.max[i];
      const bool equal = !question.bytes && question.over_dims->relation == Relation::Equal;
      if (equal ? !range(dims[i], question.phase).contains(size)
                : !is_largest(question, value, dims[i], size))
        refuse(Rule::BudgetMost,
               name + "=" + std::to_string(size) + " is not the largest size that keeps it");
    }
  }

  void check_beyond(const Question& question, const Plan::Answer& answer, const std::vector<DimIndex>& dims) {
    Binding value = proof_.values_in(question.phase);
    size_t next = 0;
    for (const DimIndex dim : dims) {
      if (question.budget.counts.arena == 0) break;
      const Interval all = range(dim, question.phase);
      const bool told = next < answer.beyond.size() && answer.beyond[next].first == plan_.dims[dim].name;
      if (told) {
        const int64_t size = answer.beyond[next++].second;
        if (size > all.hi || !is_largest(question, value, dim, size - 1, true))
          refuse(Rule::BudgetBeyond, plan_.dims[dim].name + "=" + std::to_string(size) +
                                         " is not the least size that no placement keeps in it");
        continue;
      }
      Binding top = value;
      top[dim] = all.hi;
      if (all.lo < all.hi && !fits(question, top, true))
        refuse(Rule::BudgetBeyond,
               "does not tell from which size of " + plan_.dims[dim].name + " on no placement keeps it");
    }
    if (next != answer.beyond.size())
      refuse(Rule::BudgetBeyond, "tells sizes of dims that it does not depend on");
  }

  void check_falling(const Plan::Frontier& f) {
    for (size_t i = 1; i < f.points.size(); ++i) {
      const auto &a = f.points[i - 1], &b = f.points[i];
      if (a.first >= b.first || a.second <= b.second)
        refuse(Rule::BudgetFrontier, "has a frontier that does not fall");
    }
  }

  // Each point: the most of the second dim at a size of the first, the others at the plan's sizes.
  void check_frontiers(const Question& question, const Plan::Answer& answer, std::vector<DimIndex> dims) {
    if (answer.ok && !answer.frontier.empty()) refuse(Rule::BudgetFrontier, "is ok, and has a frontier");
    std::erase_if(dims,
                  [&](DimIndex d) { return range(d, question.phase).lo == range(d, question.phase).hi; });
    if (dims.size() > kPairedDims) dims.resize(kPairedDims);
    const auto place = [&](const std::string& name) {
      return std::find_if(dims.begin(), dims.end(), [&](DimIndex d) { return plan_.dims[d].name == name; });
    };
    std::pair<size_t, size_t> last{0, 0};
    for (const Plan::Frontier& f : answer.frontier) {
      const auto first = place(f.first), second = place(f.second);
      const std::pair<size_t, size_t> at(first - dims.begin(), second - dims.begin());
      if (first == dims.end() || second == dims.end() || at.first >= at.second || at <= last ||
          f.points.empty()) {
        refuse(Rule::BudgetFrontier, "has a frontier of other dims than it trades, or one without points");
        return;
      }
      last = at;
      check_falling(f);
      for (const auto& [a, b] : f.points) {
        Binding value = proof_.values_in(question.phase);
        value[*first] = a;
        value[*second] = range(*second, question.phase).lo;
        const bool on_edge = range(*first, question.phase).contains(a) && fits(question, value) &&
                             is_largest(question, value, *second, b);
        if (!on_edge)
          refuse(Rule::BudgetFrontier, "(" + std::to_string(a) + ", " + std::to_string(b) +
                                           ") is not on the edge of " + f.first + " and " + f.second);
      }
    }
  }

  void check_phases(const Question& question) {
    const Plan::Budget& budget = question.budget;
    const bool each = question.bytes && question.phase == Proof::kAnyPhase && plan_.phases.size() > 1;
    if (out_of_work() && budget.phases.empty()) return;
    if (budget.phases.size() != (each ? plan_.phases.size() : 0)) {
      refuse(Rule::BudgetPhase,
             "is answered for " + std::to_string(budget.phases.size()) + " phases by themselves");
      return;
    }
    for (uint32_t p = 0; p < budget.phases.size(); ++p) {
      if (budget.phases[p].phase != plan_.phases[p].name) {
        refuse(Rule::BudgetPhase,
               "is answered for " + budget.phases[p].phase + " where " + plan_.phases[p].name + " stands");
        return;
      }
      Question alone = question;
      alone.phase = p;
      check_answer(alone, budget.phases[p]);
      if (budget.ok && !budget.phases[p].ok)
        refuse(Rule::BudgetPhase, "is ok, and phase " + plan_.phases[p].name + " breaks it");
    }
  }

  // ---- changes
  void check_change(const Question& question, const Plan::Change& change) {
    const auto narrowed = assignment(change.change, "budget ", " <= ");
    const auto retyped = assignment(change.change, "--retype ", "=");
    const bool known = narrowed || assignment(change.change, "--let ", "=") || retyped;
    const bool storage = !retyped || ((retyped->first == "state" || retyped->first == "weights") &&
                                      find_dtype(retyped->second));
    if (!known || !storage) {
      refuse(Rule::BudgetChange,
             "\"" + change.change.substr(0, 60) + "\" is no change that a command line takes");
      return;
    }
    for (const auto& [name, size] : change.max) check_size(Rule::BudgetChange, name, size, question.phase);
    const Expr limit = question.bytes ? *question.budget.limit : Expr();
    if (limit && limit.is_constant() && (change.bytes <= limit.constant()) != change.ok)
      refuse(Rule::BudgetChange, change.change + (change.ok ? " keeps it with more bytes than its limit"
                                                            : " breaks it with fewer bytes than its limit"));
    if (!narrowed) return;
    const std::string dim = narrowed->first.substr(
        narrowed->first.find('.') == std::string::npos ? 0 : narrowed->first.find('.') + 1);
    const bool same = change.ok && change.max.size() == 1 && change.max[0].first == dim &&
                      std::to_string(change.max[0].second) == narrowed->second;
    if (!same) refuse(Rule::BudgetChange, change.change + " admits other sizes than it says");
  }

  static constexpr size_t kMostWork = 200'000'000;
  Proof& proof_;
  const Plan& plan_;
  std::string where_;
  std::unordered_map<uint32_t, std::pair<Expr, int64_t>>
      sizes_[4];  // by segment: sizes of buffers, and how many
};

bool Proof::budgets() {
  search_work_ = 0;
  return Budgets(*this).run();
}

}  // namespace irplan::proof
