// The order of elaboration: what the top level declares, then each phase, item by item.
#include "ir/elaborate.h"

#include <algorithm>
#include <unordered_map>

#include "base/keyed_hash.h"
#include "ir/elaborator.h"

namespace irplan {

Elaborator::Elaborator(ast::Tree& tree, const SourceText& source, const ElaborateOptions& options,
                       Graph& graph, Diagnostics& diagnostics)
    : tree_(tree), source_(source), options_(options), graph_(graph), diagnostics_(diagnostics) {}

void elaborate(syntax::Tree& tree, const SourceText& source, const ElaborateOptions& options, Graph& graph,
               Diagnostics& diagnostics) {
  Elaborator(tree, source, options, graph, diagnostics).run();
}

void Elaborator::run() {
  graph_.ops.reserve(
      4096);  // of a usual model; growing them again and again would cost more than making them
  graph_.values.reserve(8192);
  collect_globals();
  replace_lets();
  read_budgets();
  declare_phases();
  for (uint32_t phase = 0; phase < graph_.phases.size() && !stopped_; ++phase) run_phase(phase);
  check_states();
  graph_.steps = steps_;
  settle_leaf_names();
  settle_ids();
  tell_lacking();
  tell_misspelt();
  if (!diagnostics_.has_errors()) tell_ignored();
}

void Elaborator::collect_globals() {
  global_of_.assign(tree_.symbol_count() + 1, -1);
  for (uint32_t i = 0; i < tree_.items.size(); ++i) {
    const ast::Item& item = *tree_.items[i];
    switch (item.kind) {
      case ast::ItemKind::Let: add_global(item.name, GlobalKind::Let, i, &item); break;
      case ast::ItemKind::Dim: add_global(item.name, GlobalKind::Dim, i, &item); break;
      case ast::ItemKind::Fn: add_global(item.name, GlobalKind::Fn, i, &item); break;
      case ast::ItemKind::Input:
        for (const ast::Expr* extent : item.type.extents) add_free_dims(*extent, i);
        add_global(item.name, GlobalKind::Input, i, &item);
        break;
      case ast::ItemKind::Phase: phase_items_.push_back(&item); break;
      default: break;
    }
  }
}

void Elaborator::add_global(const ast::Name& name, GlobalKind kind, uint32_t position,
                            const ast::Item* item) {
  if (name.symbol >= global_of_.size()) global_of_.resize(name.symbol + 1, -1);
  int32_t& slot = global_of_[name.symbol];
  if (slot >= 0) {
    report(Code::NameBoundTwice, name.span, {text(name)}).also(globals_[slot].span, "bound here first");
    return;
  }
  slot = static_cast<int32_t>(globals_.size());
  globals_.push_back({name.symbol, kind, position, item, name.span, Global::State::Untouched, Datum()});
  if (kind != GlobalKind::Dim) return;
  if (graph_.dim_list.size() == kMaxDims && !stopped_) {
    report(Code::TooManyDims, name.span, {std::to_string(kMaxDims)});
    stopped_ = true;
  }
  if (stopped_) return;
  // Dims stand in the order of their first appearance; ranges follow when the first phase runs.
  Dim dim;
  dim.name = text(name);
  graph_.dims->dim(dim.name);
  dim.index = *graph_.dims->find(dim.name);
  dim.range = {1, Interval::kUnbounded};
  dim.free = item->kind == ast::ItemKind::Input;
  dim.span = name.span;
  graph_.dim_list.push_back(dim);
}

// Names in an input's extents that nothing above declares are dims from 1 without upper bound.
void Elaborator::add_free_dims(const ast::Expr& extent, uint32_t position) {
  switch (extent.kind) {
    case ast::ExprKind::Name: {
      const std::string& name = text(extent.name);
      const bool known = (extent.name.symbol < global_of_.size() && global_of_[extent.name.symbol] >= 0) ||
                         name == "config" || name == "phase";
      if (!known) add_global(extent.name, GlobalKind::Dim, position, tree_.items[position]);
      break;
    }
    case ast::ExprKind::Unary:
    case ast::ExprKind::Binary:
    case ast::ExprKind::Ternary:
      for (const ast::Expr* part : {extent.a, extent.b, extent.c}) {
        if (part) add_free_dims(*part, position);
      }
      break;
    case ast::ExprKind::Call:
      for (const ast::Arg& arg : extent.args) add_free_dims(*arg.value, position);
      break;
    default: break;
  }
}

void Elaborator::replace_lets() {
  for (const auto& [name, value] : options_.lets) {
    Global* found = nullptr;
    std::vector<std::string> names;
    for (Global& global : globals_) {
      if (global.kind != GlobalKind::Let) continue;
      names.push_back(text(global.item->name));
      if (names.back() == name) found = &global;
    }
    if (!found) {
      Diagnostic& d = report(Code::UnknownLet, {}, {name});
      const std::string near = nearest(name, names);
      if (!near.empty()) d.help("did you mean `--let " + near + "=…`");
      continue;
    }
    const std::string words = "--let " + name + "=";
    const auto shown = std::make_shared<const SourceText>(kCommandLine, words + value);
    if (const ast::Expr* e = option(shown, words.size(), value))
      replaced_[found->item->name.symbol] = {e, shown};
  }
  global_of_.resize(tree_.symbol_count() + 1, -1);
}

// All in one text, so that each has a place of its own.
void Elaborator::read_budgets() {
  std::string all;
  for (const std::string& budget : options_.budgets)
    all += (all.empty() ? "--budget \"" : " --budget \"") + budget + '"';
  const auto shown = std::make_shared<const SourceText>(kCommandLine, all);
  size_t at = 0;
  for (const std::string& budget : options_.budgets) {
    at = all.find('"', at) + 1;
    if (const ast::Expr* e = option(shown, at, budget)) budgets_.push_back({e, shown});
    at += budget.size() + 1;
  }
  global_of_.resize(tree_.symbol_count() + 1, -1);
}

// The expression that stands at a place of an option's text; null after a report.
const ast::Expr* Elaborator::option(const std::shared_ptr<const SourceText>& shown, size_t at,
                                    const std::string& expression) {
  // Blanks for what stands before it, so that places in the expression are places in what is shown.
  const SourceText text(kCommandLine, std::string(at, ' ') + expression);
  Diagnostics problems;
  const ast::Expr* e = ast::parse_expression(tree_, text, problems);
  for (const Diagnostic& problem : problems.list()) {
    Diagnostic& d = diagnostics_.add(problem.code, problem.span, {}, shown);
    d = problem;
    d.elsewhere = shown;
  }
  return e;
}

void Elaborator::declare_phases() {
  for (const ast::Item* item : phase_items_) {
    const auto same = [&](const Phase& p) { return p.name == text(item->name); };
    const auto first = std::find_if(graph_.phases.begin(), graph_.phases.end(), same);
    if (first != graph_.phases.end()) {
      report(Code::NameBoundTwice, item->name.span, {text(item->name)})
          .also(first->span, "the phase is declared here first");
      continue;
    }
    if (text(item->name) == "load") {
      report(Code::ReservedPhaseName, item->name.span, {text(item->name)});
      continue;
    }
    if (graph_.phases.size() == kMaxPhases) {
      report(Code::TooManyPhases, item->name.span, {std::to_string(kMaxPhases)});
      continue;
    }
    Phase phase;
    phase.name = text(item->name);
    phase.span = item->name.span;
    graph_.phases.push_back(std::move(phase));
  }
  if (graph_.phases.empty()) graph_.phases.emplace_back().name = "main";
}

void Elaborator::run_phase(uint32_t phase) {
  phase_ = phase;
  phase_prefix_ = phase_items_.empty() ? "" : graph_.phases[phase].name + "/";
  fixed_.clear();
  appended_.clear();
  outputs_.clear();
  locals_.clear();
  scopes_.assign(1, Scope{"", 0, {}, {}});
  frames_.assign(1, Frame{});
  for (Global& global : globals_) {
    if (global.kind == GlobalKind::Bound) global_of_[global.symbol] = -1;
    global.state = Global::State::Untouched;
    global.value = Datum();
  }
  std::erase_if(globals_, [](const Global& g) { return g.kind == GlobalKind::Bound; });
  graph_.phases[phase].ops_begin = static_cast<uint32_t>(graph_.ops.size());
  frames_.back().position = UINT32_MAX;
  ranges_[0].clear(), ranges_[1].clear();
  declare_dims();
  for (const ast::Item* item : phase_items_) {
    if (text(item->name) == graph_.phases[phase].name) {
      phase_entries(*item);
      break;
    }
  }
  ranges_[0].clear(), ranges_[1].clear();
  for (uint32_t i = 0; i < tree_.items.size() && !stopped_; ++i) {
    frames_.back().position = i + 1;  // an item sees itself and what stands above it
    const ast::Item& item = *tree_.items[i];
    switch (item.kind) {
      case ast::ItemKind::Version:
        if (item.version != 1) report(Code::LanguageVersion, item.span, {std::to_string(item.version)});
        break;
      case ast::ItemKind::Let: {
        Global* global = find_global(item.name.symbol);
        if (global && global->item == &item) global_value(*global);
        break;
      }
      case ast::ItemKind::Input: declare_input(item); break;
      case ast::ItemKind::Budget: declare_budget(*item.value, item.span); break;
      case ast::ItemKind::Return: report(Code::ReturnOutsideOfFn, item.span); break;
      case ast::ItemKind::Dim:
      case ast::ItemKind::Phase:
      case ast::ItemKind::Fn:
      case ast::ItemKind::Error: break;
      default: statement(item);
    }
  }
  for (const Replacement& budget : budgets_) {
    if (stopped_) break;
    elsewhere_ = budget.text;
    declare_budget(*budget.value, budget.value->span);
    elsewhere_.reset();
  }
  graph_.phases[phase].ops_end = static_cast<uint32_t>(graph_.ops.size());
  check_states_put_out();
}

// Ranges of declared dims; a range may not depend on the phase.
void Elaborator::declare_dims() {
  for (Dim& dim : graph_.dim_list) {
    const auto symbol = tree_.intern(dim.name);
    Global* global = find_global(symbol);
    if (!global || global->item->kind != ast::ItemKind::Dim) continue;
    const ast::Item& item = *global->item;
    frames_.back().position = global->position;
    const auto low = integer(*item.value, "the lower end of a range");
    const auto high = integer(*item.high, "the upper end of a range");
    if (!low || !high) continue;
    if (*low < 0 || *low > *high) {
      report(Code::EmptyRange, Span{item.value->span.begin, item.high->span.end},
             {dim.name, std::to_string(*low), std::to_string(*high)})
          .rule("0 <= lower end <= upper end");
      continue;
    }
    const Interval range{*low, *high};
    if (phase_ > 0 && !(range == dim.range)) {
      report(Code::DeclarationDependsOnPhase, item.name.span, {dim.name});
    }
    dim.range = range;
    dim.end = size_let(*item.high);
    if (item.per) {
      dim.per = text(*item.per);
      const Global* per = find_global(item.per->symbol);
      if (!per || per->kind != GlobalKind::Dim || dim.per == dim.name) {
        report(Code::NoSuchRowsDim, item.per->span, {dim.per, dim.name});
        dim.per.clear();
      }
    }
  }
}

void Elaborator::phase_entries(const ast::Item& item) {
  Phase& phase = graph_.phases[phase_];
  for (uint32_t i = 0; i < tree_.items.size(); ++i) {
    if (tree_.items[i] == &item) frames_.back().position = i;
  }
  for (const ast::PhaseEntry& entry : item.entries) {
    const std::string& name = text(entry.dim);
    const auto dim = std::find_if(graph_.dim_list.begin(), graph_.dim_list.end(),
                                  [&](const Dim& d) { return d.name == name; });
    if (dim == graph_.dim_list.end()) {
      std::vector<std::string> names;
      for (const Dim& d : graph_.dim_list) names.push_back(d.name);
      Diagnostic& d = report(Code::PhaseSizesNoDim, entry.dim.span, {name, phase.name});
      const std::string near = nearest(name, names);
      if (!near.empty()) d.fix("did you mean `" + near + "`", entry.dim.span, near);
      std::string known;
      for (const std::string& dim_name : names) known += (known.empty() ? "" : ", ") + dim_name;
      d.rule(known.empty() ? "a dim is declared, or named in the type of an input"
                           : "the program's dims: " + known);
      continue;
    }
    const auto low = integer(entry.equals ? *entry.equals : *entry.low, "a phase's size");
    const auto high = entry.equals ? low : integer(*entry.high, "a phase's size");
    if (!low || !high) continue;
    const Span span{(entry.equals ? entry.equals : entry.low)->span.begin,
                    (entry.equals ? entry.equals : entry.high)->span.end};
    if (*low > *high || *low < dim->range.lo || *high > dim->range.hi) {
      const std::string most = dim->range.hi == Interval::kUnbounded ? "" : std::to_string(dim->range.hi);
      report(Code::PhaseOutsideOfRange, span, {name, std::to_string(*low), std::to_string(*high), phase.name})
          .also(dim->span, "declared " + std::to_string(dim->range.lo) + ".." + most);
      continue;
    }
    phase.dims.push_back({dim->index, {*low, *high}, *low, *low == *high});
    if (*low == *high) fixed_[name] = Datum(*low);
  }
}

// Whether phases give a dim different sizes.
bool Elaborator::parted(DimIndex dim) const {
  const auto range = [&](const Phase& phase) {
    const auto own =
        std::find_if(phase.dims.begin(), phase.dims.end(), [&](auto& d) { return d.dim == dim; });
    return own != phase.dims.end() ? own->range : graph_.dim_list[dim].range;
  };
  const auto differs = [&](const Phase& phase) { return !(range(phase) == range(graph_.phases[0])); };
  return std::any_of(graph_.phases.begin(), graph_.phases.begin() + phase_ + 1, differs);
}

// "S in 1..8 in phase prefill, S = 1 in phase decode"
std::string Elaborator::sizes_by_phase(const std::string& dim) const {
  std::string out;
  for (const Phase& phase : graph_.phases) {
    for (const PhaseDim& d : phase.dims) {
      if (graph_.dim_list[d.dim].name != dim) continue;
      const std::string low = std::to_string(d.range.lo), high = std::to_string(d.range.hi);
      out += (out.empty() ? "" : ", ") + dim + (d.fixed ? " = " + low : " in " + low + ".." + high) +
             " in phase " + phase.name;
    }
  }
  return out;
}

// "; here S = 1 in phase decode, …", of every dim that phases size differently.
std::string Elaborator::parted_sizes() const {
  std::string out;
  for (const Dim& dim : graph_.dim_list) {
    if (parted(dim.index)) out += (out.empty() ? "; here " : ", ") + sizes_by_phase(dim.name);
  }
  return out;
}

// Whether a type that phases share depends on a dim which they size differently; then it is told.
bool Elaborator::tell_parted(const Value& shared, const TensorType& type) {
  for (const Expr& extent : type.shape) {
    for (const DimIndex dim : dims_of(extent)) {
      if (!parted(dim)) continue;
      const std::string& name = graph_.dim_list[dim].name;
      const char* kind = shared.kind == ValueKind::State ? "state" : "param";
      report(Code::ShapeDependsOnPhase, shared.span, {kind, shared.source, name})
          .at(irplan::text(type))
          .rule("phases share their params and states; here " + sizes_by_phase(name));
      return true;
    }
  }
  return false;
}

// A state serves every phase, whether or not they all append to it.
void Elaborator::check_states() {
  if (stopped_ || diagnostics_.has_errors()) return;
  for (const Value& value : graph_.values) {
    if (value.kind == ValueKind::State) tell_parted(value, value.type);
  }
}

void Elaborator::declare_input(const ast::Item& item) {
  Global* global = find_global(item.name.symbol);
  if (!global || global->item != &item) return;
  const std::string& name = text(item.name);
  raw_dims_ = true;
  const auto type = tensor_type(item.type);
  raw_dims_ = false;
  const auto known = inputs_.find(name);
  if (known != inputs_.end()) {
    global->value = Datum::tensor(known->second);
    if (type && !(graph_.values[known->second].type == *type))
      report(Code::DeclarationDependsOnPhase, item.name.span, {name});
  } else {
    Value value;
    value.id = name;
    value.kind = ValueKind::Input;
    value.span = item.name.span;
    value.poisoned = !type;
    if (type) value.type = *type;
    const auto id = static_cast<ValueId>(graph_.values.size());
    inputs_.emplace(name, id);
    global->value = Datum::tensor(id);
    graph_.values.push_back(std::move(value));
  }
  global->state = Global::State::Done;
  note_binding(item.name.span, global->value);
}

// Of a budget over bytes: how often it counts each segment, and the rest of its comparison as the limit.
// False where it does not limit a sum from above.
bool Elaborator::read_bytes(Budget& budget) {
  Dims& dims = *graph_.dims;
  const auto speaks_of_bytes = [&](Expr e) {
    const auto all = dims_of(e);
    return std::any_of(all.begin(), all.end(), [&](DimIndex dim) { return dims.dim_name(dim)[0] == '$'; });
  };
  const Constraint& c = budget.constraint;
  budget.bytes = speaks_of_bytes(c.left) || speaks_of_bytes(c.right);
  if (!budget.bytes) return true;
  Expr rest = c.relation == Relation::GreaterEqual ? c.right - c.left : c.left - c.right;
  int64_t* const counts[] = {&budget.counts.weights, &budget.counts.state, &budget.counts.inputs,
                             &budget.counts.arena};
  for (size_t i = 0; i < std::size(kQuantities); ++i) {
    const Expr bytes = dims.dim(std::string("$") + kQuantities[i]);
    for (const Term& term : (c.left - c.right).node().terms) {
      const auto& factors = term.monomial->factors;
      if (factors.size() == 1 && factors[0]->dim && factors[0]->text == std::string("$") + kQuantities[i])
        *counts[i] = c.relation == Relation::GreaterEqual ? -term.coefficient : term.coefficient;
    }
    if (*counts[i] < 0) return false;
    rest = rest - bytes * *counts[i];
  }
  budget.limit = dims.constant(0) - rest;
  return c.relation != Relation::Equal && !speaks_of_bytes(budget.limit) && !budget.limit.overflowed();
}

void Elaborator::declare_budget(const ast::Expr& e, Span span) {
  if (e.kind == ast::ExprKind::Error) return;
  const bool comparison =
      e.kind == ast::ExprKind::Binary && e.op >= ast::Operator::Eq && e.op <= ast::Operator::Ge;
  if (!comparison || e.op == ast::Operator::Ne) {
    Diagnostic& d = report(Code::BudgetNoComparison, e.span);
    if (comparison) d.at("`!=` limits nothing");
    d.help("write a limit: budget memory <= 24GiB");
    return;
  }
  in_budget_ = raw_dims_ = true;
  budget_phase_ = kNoPhase;
  const Datum a = constant(*e.a), b = constant(*e.b);
  in_budget_ = raw_dims_ = false;
  if (a.poisoned() || b.poisoned()) return;
  Expr left = extent(a, *e.a), right = extent(b, *e.b);
  if (!left || !right) return;
  Budget budget;
  budget.text = slice(e.span);
  if (budget.text.size() > kMaxNameBytes) {
    report(Code::NameTooLong, e.span, {"a budget", std::to_string(kMaxNameBytes)});
    return;
  }
  budget.span = span;
  budget.elsewhere = elsewhere_;
  budget.phase = budget_phase_;
  Relation relation = Relation::LessEqual;
  switch (e.op) {
    case ast::Operator::Lt: right = right - 1; break;
    case ast::Operator::Gt: left = left - 1, relation = Relation::GreaterEqual; break;
    case ast::Operator::Ge: relation = Relation::GreaterEqual; break;
    case ast::Operator::Eq: relation = Relation::Equal; break;
    default: break;
  }
  budget.constraint =
      left.is_constant() ? Constraint{right, mirrored(relation), left} : Constraint{left, relation, right};
  if (!read_bytes(budget)) {
    report(Code::BudgetDirection, e.span)
        .rule(
            "a sum of weights, state, inputs, arena and memory, each by a number, and the most that it may "
            "be")
        .help("write a limit from above: budget memory <= 24GiB");
    return;
  }
  const auto same = [&](const Budget& other) {
    return other.span == budget.span && other.elsewhere == budget.elsewhere;
  };
  if (std::any_of(graph_.budgets.begin(), graph_.budgets.end(), same)) return;
  if (graph_.budgets.size() < kMaxBudgets)
    graph_.budgets.push_back(std::move(budget));
  else
    report(Code::TooManyBudgets, span, {std::to_string(kMaxBudgets)});
}

// Params and states are called by their checkpoint's name, with `param:` or `state:` before it only where two
// would clash.
void Elaborator::settle_leaf_names() {
  const auto is_leaf = [](const Value& value) {
    return value.kind == ValueKind::Param || value.kind == ValueKind::State;
  };
  std::unordered_map<std::string_view, int> count;
  count.reserve(params_.size() + states_.size());
  for (const Value& value : graph_.values) {
    if (is_leaf(value)) ++count[value.id];
  }
  for (const Value& value : graph_.values) {
    if (is_leaf(value)) continue;
    const auto found = count.find(value.id);
    if (found != count.end()) ++found->second;
  }
  std::vector<Value*> clashing;
  for (Value& value : graph_.values) {
    if (is_leaf(value) && count[value.id] > 1) clashing.push_back(&value);
  }
  for (Value* value : clashing)
    value->id = (value->kind == ValueKind::Param ? "param:" : "state:") + value->id;
}

// Two loops over variables of one name have one path, and a `fn` whose result is its caller's has its
// caller's: what is bound there again gets ~2, ~3 like further bindings of one scope.
void Elaborator::settle_ids() {
  std::unordered_map<std::string_view, int, TextHash> bound;
  bound.reserve(graph_.values.size());
  for (Value& value : graph_.values) {
    const auto [known, fresh] = bound.try_emplace(value.id, 1);
    if (fresh) continue;
    std::string id;
    do {
      id = value.id + "~" + std::to_string(++known->second);
    } while (bound.contains(id));
    value.id = std::move(id);
    bound.emplace(value.id, 1);
  }
  const auto long_one = std::find_if(graph_.values.begin(), graph_.values.end(),
                                     [](const Value& value) { return value.id.size() > kMaxNameBytes; });
  if (long_one != graph_.values.end())
    report(Code::NameTooLong, long_one->span,
           {"a name, with the calls that it stands in,", std::to_string(kMaxNameBytes)});
}

}  // namespace irplan
