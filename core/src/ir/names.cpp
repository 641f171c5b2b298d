// Names: what is visible where, and what it is worth.
#include <algorithm>
#include <iterator>
#include <utility>

#include "ir/elaborator.h"
#include "ops/alias.h"

namespace irplan {
namespace {

constexpr const char* kMemory = "memory";  // the sum of all quantities

// Measured bytes are dims of the pool that no program can name, until a budget is read.
std::optional<Datum> quantity(Dims& dims, const std::string& word) {
  const auto found = std::find(std::begin(kQuantities), std::end(kQuantities), word);
  if (found != std::end(kQuantities)) return Datum(dims.dim("$" + word));
  if (word != kMemory) return std::nullopt;
  Expr sum = dims.constant(0);
  for (const char* one : kQuantities) sum = sum + dims.dim(std::string("$") + one);
  return Datum(sum);
}

// What others call a measured quantity; null where it is none.
const char* quantity_alias(std::string_view word) {
  constexpr std::pair<const char*, const char*> kNames[] = {
      {"vram", "memory"},     {"mem", "memory"},     {"ram", "memory"},         {"gpu", "memory"},
      {"total", "memory"},    {"peak", "arena"},     {"activations", "arena"},  {"activation", "arena"},
      {"workspace", "arena"}, {"scratch", "arena"},  {"temp", "arena"},         {"temps", "arena"},
      {"kv", "state"},        {"cache", "state"},    {"kv_cache", "state"},     {"kvcache", "state"},
      {"states", "state"},    {"params", "weights"}, {"parameters", "weights"}, {"model", "weights"},
      {"weight", "weights"},  {"input", "inputs"},   {"tokens", "inputs"}};
  for (const auto& [theirs, ours] : kNames) {
    if (word == theirs) return ours;
  }
  return nullptr;
}

}  // namespace

// What a budget may speak of, with the program's own dims.
std::string Elaborator::budget_rule() const {
  std::string dims;
  for (const Dim& dim : graph_.dim_list) dims += (dims.empty() ? "" : ", ") + dim.name;
  return "a budget asks weights, state, inputs, arena or memory, in all phases or in one, or a dim" +
         (dims.empty() ? "" : ": " + dims);
}

Elaborator::Global* Elaborator::find_global(ast::Symbol symbol) {
  if (symbol >= global_of_.size() || global_of_[symbol] < 0) return nullptr;
  return &globals_[static_cast<size_t>(global_of_[symbol])];
}

Datum* Elaborator::find_local(ast::Symbol symbol, bool** carried, Span* span) {
  for (size_t i = locals_.size(); i > frames_.back().locals; --i) {
    Local& local = locals_[i - 1];
    if (local.symbol != symbol) continue;
    if (carried) *carried = &local.carried;
    if (span) *span = local.span;
    return &local.value;
  }
  return nullptr;
}

// Where a reader looks for an operand: what a parameter stands for is at the call.
Span Elaborator::place_of(const ast::Expr& operand) {
  if (operand.kind != ast::ExprKind::Name || frames_.size() == 1) return operand.span;
  for (size_t i = locals_.size(); i > frames_.back().locals; --i) {
    const Local& local = locals_[i - 1];
    if (local.symbol == operand.name.symbol) return local.given.end > 0 ? local.given : operand.span;
  }
  return operand.span;
}

// `decode.arena`, `decode.B`: what a budget asks of one phase; none where that is no phase's name.
std::optional<Datum> Elaborator::of_phase(const ast::Expr& e) {
  if (!in_budget_ || e.a->kind != ast::ExprKind::Name || find_local(e.a->name.symbol) ||
      find_global(e.a->name.symbol))
    return std::nullopt;
  const std::string &phase = text(e.a->name), &word = text(e.name);
  const auto named = [&](const Phase& p) { return p.name == phase; };
  const auto found = std::find_if(graph_.phases.begin(), graph_.phases.end(), named);
  if (found == graph_.phases.end() || phase_items_.empty()) return std::nullopt;
  const auto index = static_cast<uint32_t>(found - graph_.phases.begin());
  if (budget_phase_ != kNoPhase && budget_phase_ != index) {
    report(Code::BudgetOfTwoPhases, e.span, {graph_.phases[budget_phase_].name, phase})
        .help("write a budget for each phase");
    return poison();
  }
  budget_phase_ = index;
  const Global* global = find_global(e.name.symbol);
  if (global && global->kind == GlobalKind::Dim) return dim_value(e.name.symbol);
  if (auto bytes = quantity(*graph_.dims, word)) return *std::move(bytes);
  Diagnostic& d = report(Code::UnknownName, e.name.span, {phase + "." + word});
  std::vector<std::string> known(std::begin(kQuantities), std::end(kQuantities));
  known.emplace_back(kMemory);
  for (const Global& other : globals_) {
    if (other.kind == GlobalKind::Dim) known.push_back(text(other.symbol));
  }
  if (const std::string near = nearest(word, known); !near.empty())
    d.fix("did you mean `" + phase + "." + near + "`", e.name.span, near);
  else if (const char* const measured = quantity_alias(word))
    d.fix("write `" + phase + "." + measured + "`", e.name.span, measured);
  else
    d.rule(budget_rule());
  return poison();
}

Datum Elaborator::lookup(const ast::Name& name) {
  if (const Datum* local = find_local(name.symbol)) return *local;
  if (in_budget_) {
    if (auto bytes = quantity(*graph_.dims, text(name))) return *std::move(bytes);
  }
  Global* global = find_global(name.symbol);
  const bool itself =
      global && global->kind == GlobalKind::Input && global->state == Global::State::Untouched;
  if (itself) {  // in its own type
    report(Code::UsedBeforeBound, name.span, {text(name)})
        .also_in_program(global->span, "it is bound only here");
    return poison();
  }
  if (global && global->position < frames_.back().position) {
    if (global->kind != GlobalKind::Fn) return global_value(*global);
    report(Code::FunctionAsValue, name.span, {text(name)})
        .also_in_program(global->span, "defined here")
        .help("call it: " + text(name) + "(…)");
    return poison();
  }
  const std::string& word = text(name);
  if (word == "config") {
    if (options_.config) return Datum(options_.config->root());
    if (!options_.config_given && !std::exchange(config_missed_, true))
      report(Code::ConfigMissing, name.span).help("give it with --config config.json");
    return poison();
  }
  if (word == "phase") return Datum(graph_.phases[phase_].name);
  if (const auto dtype = find_dtype(word)) return Datum(*dtype);
  if (global) {
    report(Code::UsedBeforeBound, name.span, {word}).also_in_program(global->span, "it is bound only here");
    return poison();
  }
  return unknown_name(name);
}

Datum Elaborator::global_value(Global& global) {
  if (global.kind == GlobalKind::Dim) {
    if (raw_dims_) return dim_value(global.symbol);
    if (global.state != Global::State::Done)
      global.value = dim_value(global.symbol), global.state = Global::State::Done;
    return global.value;
  }
  if (global.kind != GlobalKind::Let || global.state == Global::State::Done) return global.value;
  // Lets are evaluated when they are first needed, seeing what stands above them.
  const uint32_t position = global.position;
  const ast::Item& item = *global.item;
  const auto replaced = replaced_.find(item.name.symbol);
  Frame frame;
  frame.locals = locals_.size();
  frame.position = position;
  frames_.push_back(frame);
  const bool given = replaced != replaced_.end();
  auto outer = std::exchange(elsewhere_, given ? replaced->second.text : nullptr);
  Datum value = constant(given ? *replaced->second.value : *item.value);
  elsewhere_ = std::move(outer);
  frames_.pop_back();
  Global& again = *find_global(item.name.symbol);  // evaluating may have moved it
  again.value = value;
  again.state = Global::State::Done;
  note_binding(item.name.span, value);
  return value;
}

// None where the expression is not the name of a top-level `let` that is a number.
std::optional<SizeLet> Elaborator::size_let(const ast::Expr& e) {
  if (e.kind != ast::ExprKind::Name) return std::nullopt;
  const Global* global = find_global(e.name.symbol);
  if (!global || global->kind != GlobalKind::Let || !global->value.get<int64_t>()) return std::nullopt;
  const bool replaced = replaced_.contains(e.name.symbol);
  return SizeLet{text(e.name), *global->value.get<int64_t>(), replaced ? Span{} : global->item->value->span};
}

const Ranges& Elaborator::ranges_now() {
  Ranges& ranges = ranges_[raw_dims_ ? 1 : 0];
  if (ranges.size() != graph_.dims->dim_count()) ranges = graph_.ranges(raw_dims_ ? kNoPhase : phase_);
  return ranges;
}

Datum Elaborator::dim_value(ast::Symbol symbol) {
  const std::string& name = text(symbol);
  if (!raw_dims_) {
    const auto fixed = fixed_.find(name);
    if (fixed != fixed_.end()) return fixed->second;
  }
  return Datum(graph_.dims->dim(name));
}

std::vector<std::string> Elaborator::visible_names() {
  std::vector<std::string> names = {"config", "phase"};
  for (size_t i = frames_.back().locals; i < locals_.size(); ++i) names.push_back(text(locals_[i].symbol));
  for (const Global& global : globals_) {
    if (global.position < frames_.back().position && global.kind != GlobalKind::Fn) {
      names.push_back(text(global.symbol));
    }
  }
  for (int i = 0; i < kDTypes; ++i) names.emplace_back(irplan::name(static_cast<DType>(i)));
  if (in_budget_) {
    names.insert(names.end(), std::begin(kQuantities), std::end(kQuantities));
    names.emplace_back(kMemory);
    for (const Phase& phase : graph_.phases) names.push_back(phase.name);
  }
  return names;
}

Datum Elaborator::unknown_name(const ast::Name& name) {
  if (const OpRow* row = find_op(text(name)); row && !row->fused) {
    const std::string operands = row->operand_text;
    report(Code::FunctionAsValue, name.span, {text(name)})

        .help("call it: " + text(name) + "(" + operands.substr(0, operands.find(" →")) + ")");
    return poison();
  }
  Diagnostic& d = report(Code::UnknownName, name.span, {text(name)});
  const std::string near = diagnostics_.full() ? "" : nearest(text(name), visible_names());
  const auto named = [&](const Phase& p) { return p.name == text(name); };
  const char* const measured = in_budget_ ? quantity_alias(text(name)) : nullptr;
  const auto dtype = dtype_alias(text(name));
  if (in_budget_ && std::any_of(graph_.phases.begin(), graph_.phases.end(), named)) {
    d.help("ask one of its sizes: " + text(name) + ".memory");
  } else if (measured) {
    d.fix("write `" + std::string(measured) + "`", name.span, measured);
  } else if (dtype && !in_budget_) {
    d.fix("the dtype is `" + std::string(irplan::name(*dtype)) + "` here", name.span, irplan::name(*dtype));
  } else if (in_budget_ && near.empty()) {
    d.rule(budget_rule());
  } else if (!near.empty()) {
    d.fix("did you mean `" + near + "`", name.span, near);
  } else {
    d.rule("a name is a `let`, a `dim`, an `input` or what a line above binds");
  }
  return poison();
}

void Elaborator::note_binding(Span name, const Datum& value) {
  if (!options_.bindings || value.poisoned()) return;
  Bound& bound = options_.bindings->again(name.begin, phase_);
  if (const auto* tensors = value.get<Tensors>()) {
    if (tensors->ids.size() == 1 && bound.values.size() < Bindings::kMostValues)
      bound.values.push_back(tensors->ids.front());
  } else if (bound.times == 1) {
    bound.text = value.get<Expr>() ? value.get<Expr>()->text() : show(value);
  }
}

// R3: a name is bound once, and hides nothing; loop-carried names may be bound again.
void Elaborator::bind(const ast::Name& name, Datum value) {
  note_binding(name.span, value);
  bool* carried = nullptr;
  Span first;
  if (Datum* local = find_local(name.symbol, &carried, &first)) {
    if (*carried) {
      *local = std::move(value);
    } else {
      report(Code::NameBoundTwice, name.span, {text(name)})
          .also(first, "bound here first")
          .rule("a name is bound once");
    }
    return;
  }
  const Global* global = find_global(name.symbol);
  if (global && (global->position < frames_.back().position || scopes_.size() == 1)) {
    Diagnostic& d =
        report(Code::NameBoundTwice, name.span, {text(name)}).also(global->span, "bound here first");
    d.rule("a name is bound once and hides no outer name");
    if (scopes_.size() > 1 && frames_.size() == 1 && global->kind == GlobalKind::Bound) {
      d.help("a loop hands a name on when it is listed: for … with " + text(name));
    }
    return;
  }
  if (scopes_.size() > 1) {
    locals_.push_back({name.symbol, std::move(value), name.span, false});
    return;
  }
  if (name.symbol >= global_of_.size()) global_of_.resize(name.symbol + 1, -1);
  global_of_[name.symbol] = static_cast<int32_t>(globals_.size());
  globals_.push_back({name.symbol, GlobalKind::Bound, frames_.back().position - 1, nullptr, name.span,
                      Global::State::Done, std::move(value)});
}

}  // namespace irplan
