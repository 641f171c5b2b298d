// What a called name means: a function of the program, a compile-time function, an operator, or nothing.
#include "ir/elaborator.h"
#include "ops/alias.h"

namespace irplan {

const Callee& Elaborator::callee(ast::Symbol symbol) {
  if (symbol >= callees_.size()) callees_.resize(symbol + 1);
  Callee& found = callees_[symbol];
  if (found.kind != Callee::Kind::Unasked) return found;
  const std::string& name = text(symbol);
  found.row = find_op(name);
  if (found.row && found.row->fused) found.row = nullptr;
  found.kind = name == "output"     ? Callee::Kind::Output
               : find_builtin(name) ? Callee::Kind::Builtin
               : found.row          ? Callee::Kind::Operator
                                    : Callee::Kind::Unknown;
  return found;
}

Datum Elaborator::call(const ast::Expr& e, const Want& want) {
  const std::string& name = text(e.name);
  const Global* global = find_global(e.name.symbol);
  if (global && global->kind == GlobalKind::Fn) {
    if (global->position < frames_.back().position) return call_fn(e, *global->item, want);
    if (frames_.back().fn == global->item) {
      report(Code::Recursion, e.span, {name}).rule("recursion is an error");
    } else {
      report(Code::UsedBeforeBound, e.operator_span, {name})
          .also_in_program(global->span, "it is defined only here");
    }
    return poison();
  }
  const Callee what = callee(e.name.symbol);
  if (what.kind == Callee::Kind::Output) {
    report(Code::OutputForm, e.span).rule("output: name = output(tensor)");
    return poison();
  }
  if (what.kind == Callee::Kind::Builtin) {
    std::vector<Datum> args;
    if (!any_tensor(e, want, args)) {
      for (const Datum& arg : args) {
        if (arg.poisoned()) return poison();
      }
      return call_builtin(e, args);
    }
  }
  return what.row ? call_op(e, *what.row, want) : unknown_call(e);
}

// Functions of Python that a config's reader has at hand: false where it is none of them.
bool Elaborator::tell_habit(Diagnostic& d, const ast::Expr& e) {
  const std::string& name = text(e.name);
  const bool one = e.args.size() == 1 && !e.args[0].name;
  const std::string argument = one ? slice(e.args[0].value->span) : "x";
  const auto write = [&](const std::string& message, const std::string& text) {
    if (one && !elsewhere_)
      d.fix(message + ": " + text, e.span, text);
    else
      d.help(message + ": " + text);
    return true;
  };
  if (name == "range") {
    if (one) return write("a loop counts from 0", argument);
    return d.help("a loop counts from 0: for i in n { … }, and i + a in it"), true;
  }
  if (name == "int" || name == "trunc")
    return write("an integer is made by rounding", "floor(" + argument + ")");
  if (name == "float") return write("a float is made by a factor", "1.0 * " + argument);
  if (name == "str") return write("a string takes expressions in braces", "\"{" + argument + "}\"");
  if (name == "bool") return write("a condition is made by comparing", argument + " != 0");
  if (name == "abs") return write("there is none", "max(" + argument + ", 0 - " + argument + ")");
  if (name == "getattr" || name == "get")
    return d.help("a default for what the config lacks: config.key ?? default"), true;
  if (name == "hasattr") return d.help("whether the config has it: (config.key ?? none) != none"), true;
  if (name == "assert") return d.help("a statement of its own: require condition, \"why\""), true;
  if (name == "print") return d.help("values are seen with `irplan plan --dump-after elaborate`"), true;
  return false;
}

Datum Elaborator::unknown_call(const ast::Expr& e) {
  const std::string& name = text(e.name);
  Diagnostic& d = report(Code::UnknownFunction, e.operator_span, {name});
  if (diagnostics_.full() || tell_habit(d, e)) return poison();
  if (const auto alias = find_alias(name)) {
    if (alias->row)
      d.fix(alias_help(name, *alias), e.operator_span, alias->row->name);
    else
      d.help(alias_help(name, *alias));
    return poison();
  }
  std::vector<std::string> names = op_names();
  for (std::string& builtin : builtin_names()) names.push_back(std::move(builtin));
  names.emplace_back("output");
  for (const Global& global : globals_) {
    if (global.kind == GlobalKind::Fn) names.push_back(text(global.item->name));
  }
  const std::string near = nearest(name, names);
  if (!near.empty()) d.fix("did you mean `" + near + "`", e.operator_span, near);
  return poison();
}

// `max` and `sqrt` are operators where an argument is a tensor. The arguments are names and numbers there, so
// that looking at them gives no ids away.
bool Elaborator::any_tensor(const ast::Expr& e, const Want& want, std::vector<Datum>& args) {
  const std::string& name = text(e.name);
  const bool both = name == "max" || name == "sqrt";
  const int before = want.namer ? want.namer->count : 0;
  for (const ast::Arg& arg : e.args) {
    if (arg.name) {
      if (both) return true;
      report(Code::UnknownArgument, arg.name->span, {text(*arg.name), name});
      args.emplace_back();
      continue;
    }
    const size_t ops = graph_.ops.size();
    Namer own;
    args.push_back(eval(*arg.value, {nullptr, &own}));
    if (both && args.back().is_tensor()) {
      // Evaluated once more by the operator, under its own ids: take back what this look made.
      while (graph_.ops.size() > ops) {
        for (const ValueId id : graph_.ops.back().out) {
          if (id + 1 == graph_.values.size()) graph_.values.pop_back();
        }
        graph_.ops.pop_back();
      }
      if (want.namer) want.namer->count = before;
      return true;
    }
    if (args.back().is_tensor()) {
      report(Code::TensorAsConstant, arg.value->span, {graph_.values[args.back().tensor()].id});
      args.back() = poison();
    }
  }
  return false;
}

}  // namespace irplan
