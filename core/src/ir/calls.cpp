// Calls: functions of the program, compile-time functions, operators; and leaves (`param`, `state`).
#include <algorithm>
#include <cmath>

#include "ir/elaborator.h"
#include "ops/alias.h"

namespace irplan {
namespace {

using ast::ExprKind;

constexpr const char* kBuiltins[] = {"min",  "max", "ceil", "floor", "ceildiv",
                                     "sqrt", "log", "len",  "has",   "round"};

bool is_builtin(std::string_view name) {
  return std::find(std::begin(kBuiltins), std::end(kBuiltins), name) != std::end(kBuiltins);
}

// Results of one application, known before shapes are.
size_t result_count(const OpRow& row, const Attrs& attrs) {
  const Attr& sizes = attrs["sizes"];
  return sizes.is_none() ? static_cast<size_t>(row.results) : sizes.list().size();
}

std::string choices_text(const char* choices) {
  std::string out;
  for (const char* c = choices; *c; ++c) out += *c == '|' ? std::string(", ") : std::string(1, *c);
  return out;
}

std::string arguments_text(size_t count) {
  return std::to_string(count) + (count == 1 ? " argument" : " arguments");
}

// "attributes are given by name: axis, sizes"
std::string attributes_text(const OpRow& row) {
  std::string out;
  for (const AttrSpec& attribute : row.attributes) {
    if (!attribute.implicit) out += (out.empty() ? "" : ", ") + std::string(attribute.name);
  }
  return out.empty() ? "it has no attributes" : "its attributes, by name: " + out;
}

// As a program writes them, then as a config may.
std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  for (int i = 0; i < kDTypes; ++i) names.emplace_back(name(static_cast<DType>(i)));
  names.insert(names.end(), {"float32", "float16", "bfloat16"});
  return names;
}

std::string joined(const std::vector<std::string>& words, const char* between = " ") {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

std::vector<std::string> split_choices(const char* choices) {
  std::vector<std::string> out(1);
  for (const char* c = choices; *c; ++c) {
    if (*c == '|') {
      out.emplace_back();
    } else {
      out.back() += *c;
    }
  }
  return out;
}

}  // namespace

const Callee& Elaborator::callee(ast::Symbol symbol) {
  if (symbol >= callees_.size()) callees_.resize(symbol + 1);
  Callee& found = callees_[symbol];
  if (found.kind != Callee::Kind::Unasked) return found;
  const std::string& name = text(symbol);
  found.row = find_op(name);
  if (found.row && found.row->fused) found.row = nullptr;
  found.kind = name == "output"   ? Callee::Kind::Output
               : is_builtin(name) ? Callee::Kind::Builtin
               : found.row        ? Callee::Kind::Operator
                                  : Callee::Kind::Unknown;
  return found;
}

Datum Elaborator::call(const ast::Expr& e, const Want& want) {
  const std::string& name = text(e.name);
  const Global* global = find_global(e.name.symbol);
  if (global && global->kind == GlobalKind::Fn) {
    if (global->position < frames_.back().position) return call_fn(e, *global->item, want);
    if (frames_.back().fn == global->item) {
      report(Code::E0237, e.span, {name}).rule("recursion is an error");
    } else {
      report(Code::E0203, e.operator_span, {name}).also(global->span, "it is defined only here");
    }
    return poison();
  }
  const Callee what = callee(e.name.symbol);
  if (what.kind == Callee::Kind::Output) {
    report(Code::E0234, e.span).rule("output: name = output(tensor)");
    return poison();
  }
  if (what.kind == Callee::Kind::Builtin) {
    std::vector<Datum> args;
    if (!any_tensor(e, want, args)) {
      for (const Datum& arg : args) {
        if (arg.poisoned()) return poison();
      }
      if (const auto value = call_builtin(e, args)) return *value;
      return poison();
    }
  }
  return what.row ? call_op(e, *what.row, want) : unknown_call(e);
}

Datum Elaborator::unknown_call(const ast::Expr& e) {
  std::vector<std::string> names = op_names();
  names.insert(names.end(), std::begin(kBuiltins), std::end(kBuiltins));
  names.emplace_back("output");
  for (const Global& global : globals_) {
    if (global.kind == GlobalKind::Fn) names.push_back(text(global.item->name));
  }
  const std::string& name = text(e.name);
  Diagnostic& d = report(Code::E0238, e.operator_span, {name});
  const auto alias = find_alias(name);
  const std::string near = alias ? "" : nearest(name, names);
  if (alias && alias->row)
    d.fix(alias_help(name, *alias), e.operator_span, alias->row->name);
  else if (alias)
    d.help(alias_help(name, *alias));
  else if (!near.empty())
    d.fix("did you mean `" + near + "`", e.operator_span, near);
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
      report(Code::E0239, arg.name->span, {text(*arg.name), name});
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
      report(Code::E0216, arg.value->span, {graph_.values[args.back().tensor()].id});
      args.back() = poison();
    }
  }
  return false;
}

std::optional<Datum> Elaborator::call_builtin(const ast::Expr& e, const std::vector<Datum>& args) {
  const std::string& name = text(e.name);
  const auto wrong_count = [&](const char* usage) -> std::optional<Datum> {
    report(Code::E0240, e.span, {name, arguments_text(args.size())}).rule(usage);
    return std::nullopt;
  };
  const auto wrong_kind = [&](size_t i, const char* wanted) -> std::optional<Datum> {
    Diagnostic& d = report(Code::E0214, e.args[i].value->span, {wanted, kind_name(args[i])});
    blame(d, args[i]);
    return std::nullopt;
  };
  if (name == "len") {
    if (args.size() != 1) return wrong_count("len(list)");
    if (const auto* s = args[0].get<std::string>()) return Datum(static_cast<int64_t>(s->size()));
    if (const auto* node = args[0].get<const ConfigNode*>()) {
      return Datum(static_cast<int64_t>(std::max((*node)->items.size(), (*node)->entries.size())));
    }
    if (const auto* list = args[0].get<std::shared_ptr<const DatumList>>())
      return Datum(static_cast<int64_t>((*list)->size()));
    return wrong_kind(0, "a list");
  }
  if (name == "has") {
    if (args.size() != 2) return wrong_count("has(list, x)");
    if (const auto* node = args[0].get<const ConfigNode*>()) {
      if ((*node)->kind != ConfigNode::Kind::List) return wrong_kind(0, "a list");
      (*node)->read = true;
      for (const ConfigNode* item : (*node)->items) {
        if (equal(from_config(item), args[1], steps_, kMaxSteps)) return Datum(true);
      }
      return Datum(false);
    }
    const auto* list = args[0].get<std::shared_ptr<const DatumList>>();
    if (!list) return wrong_kind(0, "a list");
    return Datum(std::any_of((*list)->begin(), (*list)->end(),
                             [&](const Datum& item) { return equal(item, args[1], steps_, kMaxSteps); }));
  }
  if (name == "round") {
    if (args.size() != 2) return wrong_count("round(x, dtype)");
    if (!args[0].is_number()) return wrong_kind(0, "a number");
    const auto dtype = as_dtype(args[1]);
    if (!dtype || is_block(*dtype)) return wrong_kind(1, "a plain dtype");
    const double rounded =
        is_float(*dtype) ? round_to(args[0].number(), *dtype) : std::nearbyint(args[0].number());
    return Datum(rounded);
  }
  if (name == "min" || name == "max" || name == "ceildiv") {
    if (args.size() < 2 || (name == "ceildiv" && args.size() > 2)) {
      return wrong_count(name == "ceildiv" ? "ceildiv(a, b)" : "two or more numbers");
    }
    for (size_t i = 0; i < args.size(); ++i) {
      if (!args[i].is_number() && !args[i].is<Expr>()) return wrong_kind(i, "a number or a dim");
    }
    const bool floats = std::any_of(args.begin(), args.end(), [](const Datum& d) { return d.is<double>(); });
    if (floats) {
      double best = 0;
      for (size_t i = 0; i < args.size(); ++i) {
        if (!args[i].is_number() || name == "ceildiv")
          return wrong_kind(i, name == "ceildiv" ? "an integer" : "a number");
        const double x = args[i].number();
        best = i == 0 ? x : name == "min" ? std::min(best, x) : std::max(best, x);
      }
      return Datum(best);
    }
    const Function function = name == "min"   ? Function::Min
                              : name == "max" ? Function::Max
                                              : Function::Ceildiv;
    Expr total = as_expr(args[0]);
    if (function == Function::Ceildiv && bounds(as_expr(args[1]), ranges_now()).lo <= 0) {
      Diagnostic& d = report(Code::E0230, e.args[1].value->span, {as_expr(args[1]).text()});
      blame(d, args[1]);
      return std::nullopt;
    }
    for (size_t i = 1; i < args.size(); ++i) total = graph_.dims->call(function, total, as_expr(args[i]));
    return from_expr(total, e.span);
  }
  // ceil floor sqrt log
  if (args.size() != 1) return wrong_count("one number");
  if (!args[0].is_number()) return wrong_kind(0, "a number");
  const double x = args[0].number();
  if (name == "ceil" || name == "floor") {
    if (args[0].is<int64_t>()) return args[0];
    const double whole = name == "ceil" ? std::ceil(x) : std::floor(x);
    if (!(std::fabs(whole) < 9.2e18)) {
      report(Code::E0213, e.span);
      return std::nullopt;
    }
    return Datum(static_cast<int64_t>(whole));
  }
  if (x < 0 || (name == "log" && x == 0)) {
    Diagnostic& d = report(Code::E0241, e.span, {name, show(args[0])});
    blame(d, args[0]);
    return std::nullopt;
  }
  return Datum(name == "sqrt" ? std::sqrt(x) : portable_log(x));
}

Datum Elaborator::call_fn(const ast::Expr& e, const ast::Item& fn, const Want& want) {
  const std::string& name = text(e.name);
  for (const Frame& frame : frames_) {
    if (frame.fn != &fn) continue;
    report(Code::E0237, e.span, {name}).rule("recursion is an error");
    return poison();
  }
  if (frames_.size() > static_cast<size_t>(kMaxCallDepth)) {
    report(Code::E0242, e.span, {std::to_string(kMaxCallDepth)});
    return poison();
  }
  steps_ += kCallSteps;
  // Arguments first, in the caller's scope; positional ones, then those by name.
  const size_t count = fn.parameters.size();
  std::vector<std::optional<Datum>> values(count);
  InlineVector<Span, 8> given;
  given.resize(count, Span{});
  size_t next = 0;
  bool good = true;
  for (const ast::Arg& arg : e.args) {
    size_t at = next;
    if (arg.name) {
      const auto match = [&](const ast::Parameter& p) { return p.name.symbol == arg.name->symbol; };
      at = static_cast<size_t>(std::find_if(fn.parameters.begin(), fn.parameters.end(), match) -
                               fn.parameters.begin());
      if (at == count) {
        std::vector<std::string> names;
        for (const ast::Parameter& p : fn.parameters) names.push_back(text(p.name));
        Diagnostic& d = report(Code::E0239, arg.name->span, {text(*arg.name), name});
        d.also(fn.name.span, names.empty() ? "takes nothing" : "takes " + joined(names, ", "));
        const std::string near = nearest(text(*arg.name), names);
        if (!near.empty()) d.fix("did you mean `" + near + "`", arg.name->span, near);
        good = false;
        continue;
      }
    } else {
      ++next;
    }
    Datum value = eval(*arg.value, {nullptr, want.namer});
    if (at >= count) {
      report(Code::E0240, arg.value->span, {name, arguments_text(e.args.size())})
          .also(fn.name.span, count == 0 ? "takes nothing" : "takes " + std::to_string(count));
      good = false;
      continue;
    }
    given[at] = place_of(*arg.value);
    if (values[at]) {
      report(Code::E0243, arg.value->span, {text(fn.parameters[at].name), name});
      good = false;
    }
    values[at] = std::move(value);
  }
  std::vector<std::string> ids;
  if (want.ids) {
    ids = std::move(*want.ids);
  } else {
    ids.push_back(want.namer->next());
  }
  Frame frame;
  frame.locals = locals_.size();
  frame.fn = &fn;
  const Global* global = find_global(e.name.symbol);
  frame.position = global->position;
  const Span fn_span = fn.name.span;
  frames_.push_back(frame);
  std::string prefix;
  prefix.reserve(ids[0].size() + 1 - phase_prefix_.size());
  prefix.append(ids[0], phase_prefix_.size()).append("/");
  scopes_.push_back({std::move(prefix), locals_.size(), {}, {}});
  for (size_t i = 0; i < count; ++i) {
    const ast::Parameter& parameter = fn.parameters[i];
    if (!values[i]) {
      if (parameter.fallback) {
        Namer own;
        values[i] = eval(*parameter.fallback, {nullptr, &own});
      } else {
        report(Code::E0244, e.span, {text(parameter.name), name}).also(fn_span, "defined here");
        values[i] = poison();
        good = false;
      }
    }
    if (parameter.annotation && values[i]->is_tensor()) {
      if (const auto type = tensor_type(*parameter.annotation)) {
        graph_.annotations.push_back({values[i]->tensor(), *type, parameter.annotation->span});
      }
    }
    const size_t height = locals_.size();
    bind(parameter.name, std::move(*values[i]));
    if (locals_.size() > height) locals_.back().given = given[i];
  }
  std::vector<Datum> result;
  if (good) {
    std::vector<std::string> outer_ids = std::move(return_ids_);
    return_ids_ = std::move(ids);
    const Flow flow = block(*fn.body);
    if (flow == Flow::Return && !stopped_) {
      result = std::move(returned_);
    } else if (!stopped_) {
      report(Code::E0245, fn.name.span, {name}).also(e.span, "called here");
    }
    returned_.clear();
    return_ids_ = std::move(outer_ids);
  }
  locals_.resize(frame.locals, Local{});
  scopes_.pop_back();
  frames_.pop_back();
  if (result.empty()) return poison();
  if (result.size() == 1) return std::move(result[0]);
  Tensors all;
  for (const Datum& value : result) {
    if (value.poisoned()) return poison();
    if (!value.is_tensor() || value.get<Tensors>()->ids.size() != 1) {
      report(Code::E0246, fn.name.span, {name, kind_name(value)});
      return poison();
    }
    all.ids.push_back(value.tensor());
  }
  return Datum(std::move(all));
}

Datum Elaborator::call_op(const ast::Expr& e, const OpRow& row, const Want& want) {
  Attrs attrs(row);
  Ids in;
  Spans spans;
  uint64_t given = 0;  // attributes, by their place in the row
  InlineVector<const char*, 4> operands_given;
  bool good = true;
  const auto operand_at = [&](size_t at, const Datum& value, const ast::Expr& place) {
    if (in.size() <= at) {
      in.resize(at + 1, kNone);
      spans.resize(at + 1, e.span);
    }
    spans[at] = place_of(place);
    if (value.poisoned()) {
      good = false;
    } else if (value.is_tensor() && value.get<Tensors>()->ids.size() == 1) {
      in[at] = value.tensor();
    } else if (value.is_tensor()) {
      report(Code::E0247, place.span, {std::to_string(value.get<Tensors>()->ids.size())});
      good = false;
    } else if (!value.is_none()) {
      Diagnostic& d = report(Code::E0214, place.span, {"a tensor", kind_name(value)});
      d.at(show(value));
      blame(d, value);
      d.help("attributes are given by name");
      good = false;
    }
  };
  for (const ast::Arg& arg : e.args) {
    if (!arg.name) {
      const Datum value = eval(*arg.value, {nullptr, want.namer});
      if (in.size() >= row.operands.size() && !row.variadic) {
        report(Code::E0240, arg.value->span, {row.name, arguments_text(in.size() + 1)})
            .rule(std::string(row.name) + ": " + row.operand_text)
            .note(attributes_text(row));
        good = false;
        continue;
      }
      operand_at(in.size(), value, *arg.value);
      continue;
    }
    const std::string& key = text(*arg.name);
    const auto twice = [&] {
      report(Code::E0243, arg.name->span, {key, row.name});
      good = false;
    };
    const auto spec = std::find_if(row.attributes.begin(), row.attributes.end(),
                                   [&](const AttrSpec& s) { return key == s.name; });
    if (spec != row.attributes.end()) {
      const uint64_t bit = uint64_t{1} << (spec - row.attributes.begin());
      if (given & bit) {
        twice();
        continue;
      }
      given |= bit;
      good &= set_attribute(attrs, row, *spec, constant(*arg.value), *arg.value);
      continue;
    }
    const auto operand = std::find_if(row.operands.begin(), row.operands.end(),
                                      [&](const OperandSpec& s) { return key == s.name; });
    if (operand != row.operands.end()) {
      if (std::find(operands_given.begin(), operands_given.end(), operand->name) != operands_given.end()) {
        twice();
        continue;
      }
      operands_given.push_back(operand->name);
      operand_at(static_cast<size_t>(operand - row.operands.begin()), eval(*arg.value, {nullptr, want.namer}),
                 *arg.value);
      continue;
    }
    std::vector<std::string> names;
    for (const AttrSpec& s : row.attributes) names.emplace_back(s.name);
    for (const OperandSpec& s : row.operands) names.emplace_back(s.name);
    Diagnostic& d = report(Code::E0239, arg.name->span, {key, row.name});
    const std::string near = nearest(key, names);
    if (near.empty())
      d.rule(std::string(row.name) + ": " + row.operand_text).note(attributes_text(row));
    else
      d.fix("did you mean `" + near + "`", arg.name->span, near);
    good = false;
  }
  for (size_t i = 0; i < row.operands.size(); ++i) {
    const bool absent = i >= in.size() || in[i] == kNone;
    if (!absent || row.operands[i].optional || !good) continue;
    report(Code::E0248, e.span, {row.operands[i].name, row.name})
        .rule(std::string(row.name) + ": " + row.operand_text);
    good = false;
  }
  for (size_t i = 0; i < row.attributes.size(); ++i) {
    const AttrSpec& spec = row.attributes[i];
    if (spec.fallback || !good || (given >> i & 1)) continue;
    report(Code::E0249, e.span, {spec.name, row.name})
        .help("give it by name: " + std::string(row.name) + "(…, " + spec.name + "=…)");
    good = false;
  }
  if (!good) return poison();
  while (!in.empty() && in.back() == kNone) in.pop_back(), spans.pop_back();
  return emit(row, std::move(in), std::move(spans), std::move(attrs), e.span, want);
}

bool Elaborator::set_attribute(Attrs& attrs, const OpRow& row, const AttrSpec& spec, const Datum& value,
                               const ast::Expr& at) {
  if (value.poisoned()) return false;
  const bool optional = spec.fallback != nullptr;
  if (value.is_none()) {
    if (optional) return true;  // as if it was not given
    report(Code::E0250, at.span, {spec.name, row.name});
    return false;
  }
  auto attr = to_attr(spec, value, at);
  if (!attr) return false;
  attrs.set(spec.name, std::move(*attr));
  return true;
}

std::optional<Attr> Elaborator::to_attr(const AttrSpec& spec, const Datum& value, const ast::Expr& at) {
  const auto wrong = [&](const std::string& wanted) -> std::optional<Attr> {
    const auto* word = value.get<std::string>();
    const bool named = word && (spec.kind == AttrKind::Dtype || spec.kind == AttrKind::Word);
    Diagnostic& d = report(Code::E0251, at.span, {spec.name, wanted, named ? show(value) : kind_name(value)});
    if (!named) d.at(show(value));
    blame(d, value);
    if (!named) return std::nullopt;
    std::vector<std::string> candidates =
        spec.kind == AttrKind::Word ? split_choices(spec.choices) : dtype_names();
    const std::string near = nearest(*word, candidates);
    const bool literal = at.kind == ExprKind::String && at.span.end - at.span.begin == word->size() + 2;
    if (!near.empty() && literal)
      d.fix("did you mean `" + near + "`", {at.span.begin + 1, at.span.end - 1}, near);
    else if (!near.empty())
      d.help("did you mean `" + near + "`");
    if (spec.kind == AttrKind::Dtype) d.rule("dtypes are " + joined(dtype_names()));
    return std::nullopt;
  };
  switch (spec.kind) {
    case AttrKind::Bool:
      if (const auto* b = value.get<bool>()) return Attr(*b);
      return wrong("a bool");
    case AttrKind::Int:
      if (const auto* n = value.get<int64_t>()) return Attr(*n);
      return wrong("an integer");
    case AttrKind::Number:
      if (const auto* n = value.get<int64_t>()) return Attr(*n);
      if (const auto* d = value.get<double>(); d && std::isfinite(*d)) return Attr(*d);
      return wrong("a number");
    case AttrKind::Extent:
      if (const Expr e = as_expr(value)) return Attr(e);
      return wrong("an integer or a dim");
    case AttrKind::Dtype:
      if (const auto dtype = as_dtype(value)) return Attr(*dtype);
      return wrong("a dtype");
    case AttrKind::Word: {
      const auto* word = value.get<std::string>();
      const auto choices = split_choices(spec.choices);
      if (word && std::find(choices.begin(), choices.end(), *word) != choices.end()) return Attr(*word);
      return wrong("one of " + choices_text(spec.choices));
    }
    case AttrKind::Record:
      if (const auto* node = value.get<const ConfigNode*>();
          node && (*node)->kind == ConfigNode::Kind::Record) {
        mark_read(**node);
        return record_attr(value);
      }
      if (value.is<std::shared_ptr<const DatumRecord>>()) return record_attr(value);
      return wrong("a record");
    case AttrKind::Extents:
    case AttrKind::Ints: break;
  }
  AttrList list;
  const auto add = [&](const Datum& item) {
    const Expr e = as_expr(item);
    if (!e || (spec.kind == AttrKind::Ints && !e.is_constant())) return false;
    list.push_back(spec.kind == AttrKind::Ints ? Attr(e.constant()) : Attr(e));
    return true;
  };
  const char* wanted = spec.kind == AttrKind::Ints ? "a list of integers" : "a list of integers or dims";
  if (const auto* items = value.get<std::shared_ptr<const DatumList>>()) {
    for (const Datum& item : **items) {
      if (item.poisoned()) return std::nullopt;
      if (!add(item)) return wrong(wanted);
    }
  } else if (const auto* node = value.get<const ConfigNode*>();
             node && (*node)->kind == ConfigNode::Kind::List) {
    for (const ConfigNode* item : (*node)->items) {
      if (!add(from_config(item))) return wrong(wanted);
    }
  } else {
    return wrong(wanted);
  }
  return Attr::of(std::move(list));
}

Attr Elaborator::record_attr(const Datum& value) {
  if (const auto* b = value.get<bool>()) return Attr(*b);
  if (const auto* n = value.get<int64_t>()) return Attr(*n);
  if (const auto* d = value.get<double>()) return Attr(*d);
  if (const auto* s = value.get<std::string>()) return Attr(*s);
  if (const auto* list = value.get<std::shared_ptr<const DatumList>>()) {
    AttrList out;
    for (const Datum& item : **list) out.push_back(record_attr(item));
    return Attr::of(std::move(out));
  }
  if (const auto* record = value.get<std::shared_ptr<const DatumRecord>>()) {
    AttrRecord out;
    for (const auto& [key, item] : **record) out.emplace_back(key, record_attr(item));
    return Attr::of(std::move(out));
  }
  if (const auto* node = value.get<const ConfigNode*>()) {
    if ((*node)->kind == ConfigNode::Kind::List) {
      AttrList out;
      for (const ConfigNode* item : (*node)->items) out.push_back(record_attr(from_config(item)));
      return Attr::of(std::move(out));
    }
    AttrRecord out;
    for (const auto& [key, item] : (*node)->entries) out.emplace_back(key, record_attr(from_config(item)));
    return Attr::of(std::move(out));
  }
  return Attr();
}

// Adds an op; its results take the wanted ids, or the next number. Types follow in the shape pass.
Datum Elaborator::emit(const OpRow& row, Ids in, Spans spans, Attrs attrs, Span span, const Want& want) {
  if (graph_.ops.size() >= kMaxOps) {
    report(Code::E0252, span, {std::to_string(kMaxOps)});
    stopped_ = true;
    return poison();
  }
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] == kNone || graph_.values[in[i]].kind != ValueKind::State) continue;
    const auto before = appended_.find(in[i]);
    if (before != appended_.end()) {
      const bool twice = i == 0 && std::string_view(row.name) == "append";
      report(twice ? Code::E0253 : Code::E0254, spans[i], {graph_.values[in[i]].id})
          .also(before->second, "appended to here");
      return poison();
    }
    if (i == 0 && std::string_view(row.name) == "append") appended_.emplace(in[i], span);
  }
  const size_t count = result_count(row, attrs);
  std::vector<std::string> ids;
  if (want.ids && want.ids->size() == count) {
    ids = std::move(*want.ids);
  } else {
    const std::string first = want.ids && !want.ids->empty() ? (*want.ids)[0] : want.namer->next();
    for (size_t i = 0; i < count; ++i) ids.push_back(i == 0 ? first : first + "." + std::to_string(i + 1));
  }
  Op op;
  op.row = &row;
  op.in = std::move(in);
  op.attrs = std::move(attrs);
  op.phase = phase_;
  op.span = span;
  op.operand_spans = std::move(spans);
  op.scope = scopes_.back().prefix;
  if (!op.scope.empty()) op.scope.pop_back();
  Tensors results;
  for (std::string& id : ids) {
    Value value;
    value.id = std::move(id);
    value.phase = phase_;
    value.producer = static_cast<OpId>(graph_.ops.size());
    value.span = span;
    results.ids.push_back(static_cast<ValueId>(graph_.values.size()));
    op.out.push_back(results.ids.back());
    graph_.values.push_back(std::move(value));
  }
  graph_.ops.push_back(std::move(op));
  return Datum(std::move(results));
}

std::optional<DType> Elaborator::dtype(const ast::Type& type) {
  if (type.dtype.empty()) return std::nullopt;
  Datum value = lookup(type.dtype[0]);
  for (size_t i = 1; i < type.dtype.size() && !value.poisoned(); ++i) {
    const auto* node = value.get<const ConfigNode*>();
    const ConfigNode* found = node ? (*node)->find(text(type.dtype[i])) : nullptr;
    if (!found) {
      report(Code::E0215, type.dtype[i].span,
             {node ? (*node)->path() + "." + text(type.dtype[i]) : text(type.dtype[i])});
      return std::nullopt;
    }
    value = from_config(found);
  }
  if (value.poisoned()) return std::nullopt;
  const auto dtype = as_dtype(value);
  if (!dtype) {
    Diagnostic& d = report(Code::E0255, type.dtype[0].span, {show(value)});
    blame(d, value);
    if (const auto* word = value.get<std::string>()) {
      const std::string near = nearest(*word, dtype_names());
      if (!near.empty()) d.help("did you mean `" + near + "`");
    }
    d.rule("dtypes are " + joined(dtype_names()));
  }
  return dtype;
}

std::optional<TensorType> Elaborator::tensor_type(const ast::Type& type) {
  const auto element = dtype(type);
  TensorType out;
  bool good = element.has_value();
  if (element) out.dtype = *element;
  if (type.extents.size() > kMaxRank) {
    report(Code::E0256, type.span, {std::to_string(type.extents.size()), std::to_string(kMaxRank)});
    return std::nullopt;
  }
  for (const ast::Expr* e : type.extents) {
    const Datum value = constant(*e);
    const Expr n = extent(value, *e);
    if (!n) {
      good = false;
      continue;
    }
    if (n.is_constant() ? n.constant() < 0 : bounds(n, ranges_now()).lo < 0) {
      Diagnostic& d = report(Code::E0257, e->span, {n.text()});
      blame(d, value);
      good = false;
    }
    out.shape.push_back(n);
  }
  if (!good) return std::nullopt;
  const int block = info(out.dtype).elements;
  if (block > 1 &&
      (out.shape.empty() || !graph_.dims->mod(out.shape.back(), graph_.dims->constant(block)).is(0))) {
    report(Code::E0258, type.span, {irplan::name(out.dtype), std::to_string(block)});
    return std::nullopt;
  }
  return out;
}

// Where a state's rows are a top-level `let` as it stands, that is what a shorter cache would change.
void Elaborator::note_cache_let(const ast::Expr& rows) {
  if (rows.kind != ExprKind::Name || find_local(rows.name.symbol)) return;
  const Global* global = find_global(rows.name.symbol);
  if (!global || global->kind != GlobalKind::Let || !global->value.get<int64_t>()) return;
  const std::string& name = text(rows.name);
  const auto same = [&](const CacheLet& known) { return known.name == name; };
  if (std::any_of(graph_.cache_lets.begin(), graph_.cache_lets.end(), same)) return;
  const bool replaced = replaced_.count(rows.name.symbol) > 0;
  graph_.cache_lets.push_back(
      {name, *global->value.get<int64_t>(), replaced ? Span{} : global->item->value->span});
}

// `param` and `state`: the same name twice is the same storage, and must have the same type.
Datum Elaborator::leaf(const ast::Expr& e) {
  const bool state = e.kind == ExprKind::State;
  const auto type = tensor_type(e.type);
  bool starred = false;
  std::string source;
  if (e.has_from) {
    auto text = interpolate(e.parts, e.span, &starred);
    if (!text) return poison();
    source = std::move(*text);
    if (source.empty()) {
      report(Code::E0259, e.span);
      return poison();
    }
  } else {
    // Without `from` the bound name counts, which only the top level has.
    const ast::Item* bound = nullptr;
    for (const ast::Item* item : tree_.items) {
      if (item->kind == ast::ItemKind::Bind && item->value == &e && item->targets.size() == 1) bound = item;
    }
    if (!bound) {
      report(Code::E0260, e.span, {state ? "state" : "param"}).help("name it: … from \"layers.{i}.weight\"");
      return poison();
    }
    source = text(bound->targets[0].name);
  }
  if (!type) return poison();
  if (state && type->shape.size() < 2) {
    report(Code::E0261, e.span, {source}).at(irplan::text(*type));
    return poison();
  }
  if (state && starred) {
    report(Code::E0225, e.span).rule("`{*}` stacks stored tensors of a param");
    return poison();
  }
  if (starred && (type->shape.empty() || !type->shape[0].is_constant())) {
    report(Code::E0262, e.span, {source});
    return poison();
  }
  const auto [known, fresh] =
      (state ? states_ : params_).try_emplace(source, static_cast<ValueId>(graph_.values.size()));
  if (!fresh) {
    const Value& first = graph_.values[known->second];
    if (!(first.type == *type)) {
      if (first.span == e.span && (tell_parted(first, first.type) || tell_parted(first, *type)))
        return poison();
      Diagnostic& d = report(Code::E0263, e.span, {source});
      d.at(irplan::text(*type)).also(first.span, irplan::text(first.type));
      if (first.span == e.span && phase_ > 0) d.rule("phases share their params and states" + parted_sizes());
    }
    return Datum::tensor(known->second);
  }
  Value value;
  value.id = source;
  value.kind = state ? ValueKind::State : ValueKind::Param;
  value.type = *type;
  value.span = e.span;
  value.source = std::move(source);
  value.stacked = starred;
  if (state) value.capacity = type->shape[1];
  if (state) note_cache_let(*e.type.extents[1]);
  graph_.values.push_back(std::move(value));
  return Datum::tensor(known->second);
}

}  // namespace irplan
