// Statements: bindings, loops, branches, requirements.
#include <algorithm>

#include "ir/config_keys.h"
#include "ir/elaborator.h"

namespace irplan {

using ast::ExprKind;
using ast::ItemKind;

Elaborator::Flow Elaborator::statement(const ast::Item& item) {
  if (stopped_) return Flow::Return;
  switch (item.kind) {
    case ItemKind::Let: bind(item.name, constant(*item.value)); return Flow::Next;
    case ItemKind::Require: require(item); return Flow::Next;
    case ItemKind::Bind: bind_statement(item); return Flow::Next;
    case ItemKind::For: return loop(item);
    case ItemKind::If: return branch(item);
    case ItemKind::Return: {
      if (!frames_.back().fn) {
        report(Code::ReturnOutsideOfFn, item.span);
        return Flow::Return;
      }
      Namer namer{phase_prefix_, scopes_.back().prefix};
      std::vector<std::string> ids = std::move(return_ids_);
      returned_.clear();
      std::vector<Datum> values;
      if (item.values.size() == 1) {
        values.push_back(eval(*item.values[0], {&ids, &namer}));
      } else {
        for (size_t i = 0; i < item.values.size(); ++i) {
          std::vector<std::string> own{i < ids.size() ? std::move(ids[i]) : namer.next()};
          values.push_back(eval(*item.values[i], {&own, &namer}));
        }
      }
      returned_ = std::move(values);
      return Flow::Return;
    }
    default: return Flow::Next;
  }
}

Elaborator::Flow Elaborator::block(const ast::Block& block) {
  for (const ast::Item* item : block.items) {
    if (statement(*item) == Flow::Return) return Flow::Return;
  }
  return Flow::Next;
}

void Elaborator::require(const ast::Item& item) {
  const auto holds = truth(*item.value);
  if (!holds || *holds) return;
  std::string message;
  if (item.message) {
    const Datum text = string(*item.message);
    if (text.get<std::string>()) message = *text.get<std::string>();
  }
  Diagnostic& d =
      report(Code::RequirementFails, item.span, {message.empty() ? slice(item.value->span) : message});
  tell_values(d, *item.value);
  if (scopes_.size() == 1) refused_ = true;
}

// What the parts of a condition that does not hold are, so that the reader sees what the config has and what
// the program serves.
void Elaborator::tell_values(Diagnostic& d, const ast::Expr& e) {
  const auto is_literal = [](const ast::Expr& part) {
    const auto plain = [](const ast::Expr* item) {
      return item->kind >= ExprKind::Int && item->kind <= ExprKind::None;
    };
    if (part.kind == ExprKind::List) return std::all_of(part.items.begin(), part.items.end(), plain);
    return part.kind == ExprKind::String || plain(&part);
  };
  const auto tell = [&](const ast::Expr& part) {
    if (!is_literal(part)) d.note("`" + slice(part.span) + "` is " + show(constant(part)));
  };
  if (e.kind == ExprKind::Unary && e.op == ast::Operator::Not) return tell_values(d, *e.a);
  if (e.kind == ExprKind::Binary && (e.op == ast::Operator::And || e.op == ast::Operator::Or)) {
    const bool first = e.op == ast::Operator::Or || !truth(*e.a).value_or(true);
    if (first) tell_values(d, *e.a);
    if (!first || e.op == ast::Operator::Or) tell_values(d, *e.b);
    return;
  }
  if (e.kind == ExprKind::Binary && e.op == ast::Operator::Eq && e.b->kind == ExprKind::None) {
    const Datum found = constant(*e.a);
    if (found.origin && is_quantisation(*found.origin)) {
      d.note(quantisation_text(*found.origin)).help(quantisation_help(*found.origin));
      return;
    }
  }
  if (e.kind == ExprKind::Binary && e.op == ast::Operator::Eq && is_literal(*e.b)) {
    d.note("`" + slice(e.a->span) + "` is " + show(constant(*e.a)) + ", not " + show(constant(*e.b)));
  } else if (e.kind == ExprKind::Binary && e.op >= ast::Operator::Eq && e.op <= ast::Operator::Ge) {
    tell(*e.a);
    tell(*e.b);
  } else if (e.kind == ExprKind::Call) {
    for (const ast::Arg& arg : e.args) tell(*arg.value);
  } else {
    tell(e);
  }
}

// The id of what a name is about to be bound to: the scope's path, and ~2, ~3 for further bindings there.
int Elaborator::Scope::count(ast::Symbol name) {
  constexpr size_t kFew = 32;
  for (auto& [symbol, n] : bindings) {
    if (symbol == name) return ++n;
  }
  if (bindings.size() >= kFew) return ++more_bindings[name];
  bindings.emplace_back(name, 1);
  return 1;
}

std::string Elaborator::target_id(const ast::Name& name) {
  Scope& scope = scopes_.back();
  const int count = scope.count(name.symbol);
  const std::string& word = text(name);
  std::string id;
  id.reserve(phase_prefix_.size() + scope.prefix.size() + word.size());
  id.append(phase_prefix_).append(scope.prefix).append(word);
  if (count > 1) id += "~" + std::to_string(count);
  return id;
}

void Elaborator::bind_statement(const ast::Item& item) {
  if (item.targets.empty()) return;  // what could not be parsed
  std::vector<std::string> ids;
  ids.reserve(item.targets.size());
  for (const ast::Target& target : item.targets) ids.push_back(target_id(target.name));
  const ast::Expr& e = *item.value;
  if (e.kind == ExprKind::Call && text(e.name) == "output" && !find_global(e.name.symbol)) {
    bind_output(item, ids);
    return;
  }
  Namer namer{ids[0], "."};
  Datum value = eval(e, {&ids, &namer});
  const size_t found = value.is_tensor() ? value.get<Tensors>()->ids.size() : 1;
  if (!value.poisoned() && found != item.targets.size()) {
    const auto count = [](size_t n, const char* what) {
      return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
    };
    Diagnostic& d = report(Code::IndexOutOfRange, item.targets.front().name.span,
                           {count(item.targets.size(), "name"), count(found, "result")});
    d.also(e.span, "gives " + count(found, "result"));
    if (found == 1) d.rule("one name, one value; `split` gives several");
    if (found > 1) d.help("name each of them: a, b = …");
    value = poison();
  }
  for (size_t i = 0; i < item.targets.size(); ++i) {
    Datum one = found == 1 || value.poisoned() ? value : Datum::tensor(value.get<Tensors>()->ids[i]);
    annotate(item.targets[i], one);
    bind(item.targets[i].name, std::move(one));
  }
}

void Elaborator::annotate(const ast::Target& target, const Datum& value) {
  if (!target.annotation || value.poisoned()) return;
  const auto type = tensor_type(*target.annotation);
  if (!type) return;
  if (!value.is_tensor()) {
    report(Code::Expected, target.annotation->span, {"a tensor", kind_name(value)});
    return;
  }
  graph_.annotations.push_back({value.tensor(), *type, target.annotation->span});
}

// `out = output(x)`: names a result; an unnamed operand takes the bound name.
void Elaborator::bind_output(const ast::Item& item, const std::vector<std::string>& ids) {
  const ast::Expr& e = *item.value;
  if (item.targets.size() != 1 || e.args.size() != 1 || e.args[0].name) {
    report(Code::OutputForm, e.span).rule("output: name = output(tensor)");
    return;
  }
  const std::string name = ids[0].substr(phase_prefix_.size());
  std::vector<std::string> own = ids;
  Namer namer{ids[0], "."};
  const Datum value = eval(*e.args[0].value, {&own, &namer});
  annotate(item.targets[0], value);
  bind(item.targets[0].name, value);
  if (value.poisoned()) return;
  if (!value.is_tensor() || value.get<Tensors>()->ids.size() != 1) {
    report(Code::Expected, e.args[0].value->span, {"a tensor", kind_name(value)});
    return;
  }
  const auto [known, fresh] = outputs_.try_emplace(name, item.targets[0].name.span);
  if (!fresh) {
    report(Code::NameBoundTwice, item.targets[0].name.span, {name})
        .also(known->second, "an output has the name already");
    return;
  }
  graph_.outputs.push_back({name, value.tensor(), phase_, item.targets[0].name.span});
}

Elaborator::Flow Elaborator::loop(const ast::Item& item) {
  const auto count = integer(*item.value, "the iterations of a loop");
  if (!count) return Flow::Next;
  if (*count < 0 || *count > kMaxRounds) {
    const std::string rounds = std::to_string(*count);
    Diagnostic& d = *count < 0
                        ? report(Code::NegativeRounds, item.value->span, {rounds})
                        : report(Code::TooManyRounds, item.value->span, {rounds, std::to_string(kMaxRounds)});
    Namer namer;
    blame(d, raw(*item.value, {nullptr, &namer}));
    stopped_ = *count > kMaxRounds;
    return Flow::Next;
  }
  std::vector<Datum> carried;
  for (const ast::Name& name : item.carried) carried.push_back(lookup(name));
  const std::string outer = scopes_.back().prefix + text(item.name) + ".";
  for (int64_t round = 0; round < *count && !stopped_; ++round) {
    steps_ += kRoundSteps;
    if (steps_ > kMaxSteps) {
      report(Code::TooManySteps, item.span, {std::to_string(kMaxSteps)});
      stopped_ = true;
      break;
    }
    scopes_.push_back({outer + std::to_string(round) + "/", locals_.size(), {}, {}});
    // Carried names first: a loop's body may bind them again, its variable not.
    for (size_t i = 0; i < carried.size(); ++i) {
      locals_.push_back({item.carried[i].symbol, carried[i], item.carried[i].span, true});
    }
    const size_t first = scopes_.back().locals;
    bind(item.name, Datum(round));
    const Flow flow = block(*item.body);
    for (size_t i = 0; i < carried.size() && first + i < locals_.size(); ++i)
      carried[i] = locals_[first + i].value;
    locals_.resize(scopes_.back().locals, Local{});
    scopes_.pop_back();
    if (flow == Flow::Return) return flow;
  }
  for (size_t i = 0; i < carried.size(); ++i) {
    if (Datum* local = find_local(item.carried[i].symbol)) {
      *local = carried[i];
    } else if (Global* global = find_global(item.carried[i].symbol)) {
      if (global->kind == GlobalKind::Bound || global->kind == GlobalKind::Input) global->value = carried[i];
    }
  }
  return Flow::Next;
}

// What arms bind of which none could be chosen: any value, so that its uses are no errors.
void Elaborator::poison_names(const ast::Block& block) {
  for (const ast::Item* item : block.items) {
    if (item->kind == ItemKind::If) {
      poison_names(*item->body);
      if (item->otherwise) poison_names(*item->otherwise);
    }
    if (item->kind != ItemKind::Bind) continue;
    for (const ast::Target& target : item->targets) {
      const Global* global = find_global(target.name.symbol);
      if (!global && !find_local(target.name.symbol)) bind(target.name, poison());
    }
  }
}

Elaborator::Flow Elaborator::branch(const ast::Item& item) {
  const auto chosen = truth(*item.value);
  if (!chosen) {
    poison_names(*item.body);
    if (item.otherwise) poison_names(*item.otherwise);
    return Flow::Next;
  }
  if (*chosen) return block(*item.body);
  return item.otherwise ? block(*item.otherwise) : Flow::Next;
}

}  // namespace irplan
