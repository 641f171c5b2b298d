// Calls of operators: arguments become operands and attributes, and the application an op of the graph.
#include <algorithm>
#include <cmath>

#include "ir/elaborator.h"
#include "ir/words.h"
#include "ops/alias.h"

namespace irplan {
namespace {

using ast::ExprKind;

// Results of one application, known before shapes are.
size_t result_count(const OpRow& row, const Attrs& attrs) {
  const Attr& sizes = attrs["sizes"];
  return sizes.is_none() ? static_cast<size_t>(row.results) : sizes.list().size();
}

std::string usage(const OpRow& row) { return std::string(row.name) + ": " + row.operand_text; }

}  // namespace

// The arguments of one application, as far as they are read.
struct Elaborator::Application {
  Application(const OpRow& row, Span span) : row(row), span(span), attrs(row) {}
  const OpRow& row;
  Span span;  // of the call
  Attrs attrs;
  Ids in;
  Spans spans;
  uint64_t attributes = 0, operands = 0;  // given so far, by their place in the row
  bool good = true;
};

Datum Elaborator::call_op(const ast::Expr& e, const OpRow& row, const Want& want) {
  Application made(row, e.span);
  size_t positional = 0;
  for (const ast::Arg& arg : e.args) {
    if (arg.name) {
      named_argument(made, arg, want);
      continue;
    }
    const Datum value = eval(*arg.value, {nullptr, want.namer});
    if (positional < row.operands.size() || row.variadic) {
      place_operand(made, positional++, value, *arg.value);
      continue;
    }
    report(Code::DoesNotTake, arg.value->span, {row.name, arguments_text(++positional)})
        .rule(usage(row))
        .note(attributes_text(row));
    made.good = false;
  }
  if (!made.good || !complete(made)) return poison();
  while (!made.in.empty() && made.in.back() == kNone) made.in.pop_back(), made.spans.pop_back();
  return emit(row, std::move(made.in), std::move(made.spans), std::move(made.attrs), e.span, want);
}

void Elaborator::place_operand(Application& made, size_t at, const Datum& value, const ast::Expr& place) {
  if (made.in.size() <= at) {
    made.in.resize(at + 1, kNone);
    made.spans.resize(at + 1, made.span);
  }
  made.spans[at] = place_of(place);
  if (at < made.row.operands.size() &&
      !fresh(made, made.operands, at, made.row.operands[at].name, place.span))
    return;
  if (value.is_none()) return;
  if (value.is_tensor() && value.get<Tensors>()->ids.size() == 1) {
    made.in[at] = value.tensor();
    return;
  }
  made.good = false;
  if (value.poisoned()) return;
  if (value.is_tensor()) {
    report(Code::SeveralTensors, place.span, {std::to_string(value.get<Tensors>()->ids.size())});
    return;
  }
  Diagnostic& d = report(Code::Expected, place.span, {"a tensor", kind_name(value)});
  d.at(show(value));
  blame(d, value);
  d.help("attributes are given by name");
}

// Whether what stands at a place of the row is given for the first time.
bool Elaborator::fresh(Application& made, uint64_t& given, size_t at, const char* name, Span span) {
  const uint64_t bit = uint64_t{1} << at;
  if (!(given & bit)) return given |= bit, true;
  report(Code::ArgumentTwice, span, {name, made.row.name});
  return made.good = false;
}

void Elaborator::named_argument(Application& made, const ast::Arg& arg, const Want& want) {
  const OpRow& row = made.row;
  const std::string& key = text(*arg.name);
  const auto called = [&](const auto& spec) { return key == spec.name; };
  const auto spec = std::find_if(row.attributes.begin(), row.attributes.end(), called);
  if (spec != row.attributes.end()) {
    const auto at = static_cast<size_t>(spec - row.attributes.begin());
    if (fresh(made, made.attributes, at, spec->name, arg.name->span))
      made.good &= set_attribute(made.attrs, row, *spec, constant(*arg.value), *arg.value);
    return;
  }
  const auto operand = std::find_if(row.operands.begin(), row.operands.end(), called);
  if (operand != row.operands.end()) {
    const Datum value = eval(*arg.value, {nullptr, want.namer});
    place_operand(made, static_cast<size_t>(operand - row.operands.begin()), value, *arg.value);
    return;
  }
  made.good = false;
  std::vector<std::string> names;
  for (const AttrSpec& s : row.attributes) names.emplace_back(s.name);
  for (const OperandSpec& s : row.operands) names.emplace_back(s.name);
  Diagnostic& d = report(Code::UnknownArgument, arg.name->span, {key, row.name});
  for (const char* ours : attribute_aliases(key)) {
    if (std::find(names.begin(), names.end(), ours) == names.end()) continue;
    d.fix(std::string("it is called `") + ours + "` here", arg.name->span, ours);
    return;
  }
  const std::string near = nearest(key, names);
  if (near.empty())
    d.rule(usage(row)).note(attributes_text(row));
  else
    d.fix("did you mean `" + near + "`", arg.name->span, near);
}

// Whether nothing that is required is missing; the first that is, is told.
bool Elaborator::complete(const Application& made) {
  const OpRow& row = made.row;
  for (size_t i = 0; i < row.operands.size(); ++i) {
    if (row.operands[i].optional || (i < made.in.size() && made.in[i] != kNone)) continue;
    report(Code::OperandMissing, made.span, {row.name, row.operands[i].name}).rule(usage(row));
    return false;
  }
  for (size_t i = 0; i < row.attributes.size(); ++i) {
    const AttrSpec& spec = row.attributes[i];
    if (spec.fallback || (made.attributes >> i & 1)) continue;
    report(Code::AttributeMissing, made.span, {row.name, spec.name})
        .help("give it by name: " + std::string(row.name) + "(…, " + spec.name + "=…)");
    return false;
  }
  return true;
}

bool Elaborator::set_attribute(Attrs& attrs, const OpRow& row, const AttrSpec& spec, const Datum& value,
                               const ast::Expr& at) {
  if (value.poisoned()) return false;
  const bool optional = spec.fallback != nullptr;
  if (value.is_none()) {
    if (optional) return true;  // as if it was not given
    report(Code::AttributeIsNone, at.span, {spec.name, row.name});
    return false;
  }
  auto attr = to_attr(spec, value, at);
  if (!attr) return false;
  attrs.set(spec.name, std::move(*attr));
  return true;
}

// Says that a value is no value of the attribute; none, so that it can be returned.
std::optional<Attr> Elaborator::wrong_attr(const AttrSpec& spec, const Datum& value, const ast::Expr& at,
                                           const std::string& wanted) {
  const bool integer = spec.kind == AttrKind::Int || spec.kind == AttrKind::Extent;
  if (integer && value.is<double>()) {
    tell_no_integer(at, wanted + " for " + spec.name, value);
    return std::nullopt;
  }
  const auto* word = value.get<std::string>();
  const bool named = word && (spec.kind == AttrKind::Dtype || spec.kind == AttrKind::Word);
  Diagnostic& d =
      report(Code::AttributeType, at.span, {spec.name, wanted, named ? show(value) : kind_name(value)});
  if (!named) d.at(show(value));
  blame(d, value);
  if (!named) return std::nullopt;
  std::vector<std::string> candidates = spec.kind == AttrKind::Word ? choices(spec.choices) : dtype_names();
  const auto alias = spec.kind == AttrKind::Dtype ? dtype_alias(*word) : std::nullopt;
  const std::string near = alias ? irplan::name(*alias) : nearest(*word, candidates);
  const bool literal = at.kind == ExprKind::String && at.span.end - at.span.begin == word->size() + 2;
  if (!near.empty() && literal)
    d.fix("did you mean `" + near + "`", {at.span.begin + 1, at.span.end - 1}, near);
  else if (!near.empty())
    d.help("did you mean `" + near + "`");
  if (spec.kind == AttrKind::Dtype) d.rule("dtypes are " + joined(dtype_names(), " "));
  return std::nullopt;
}

std::optional<Attr> Elaborator::to_attr(const AttrSpec& spec, const Datum& value, const ast::Expr& at) {
  const auto wrong = [&](const std::string& wanted) { return wrong_attr(spec, value, at, wanted); };
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
      const auto words = choices(spec.choices);
      if (word && std::find(words.begin(), words.end(), *word) != words.end()) return Attr(*word);
      return wrong("one of " + joined(words, ", "));
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
  return list_attr(spec, value, at);
}

std::optional<Attr> Elaborator::list_attr(const AttrSpec& spec, const Datum& value, const ast::Expr& at) {
  const auto wrong = [&](const std::string& wanted) { return wrong_attr(spec, value, at, wanted); };
  AttrList list;
  const auto add = [&](const Datum& item) {
    const Expr e = as_expr(item);
    if (!e || (spec.kind == AttrKind::Ints && !e.is_constant())) return false;
    if (spec.kind == AttrKind::Ints)
      list.emplace_back(e.constant());
    else
      list.emplace_back(e);
    return true;
  };
  const char* wanted = spec.kind == AttrKind::Ints ? "a list of integers" : "a list of integers or dims";
  if (const auto* items = value.get<std::shared_ptr<const DatumList>>()) {
    for (size_t i = 0; i < (*items)->size(); ++i) {
      const Datum& item = (**items)[i];
      if (item.poisoned()) return std::nullopt;
      if (add(item)) continue;
      if (!item.is<double>()) return wrong(wanted);
      tell_no_integer(at.kind == ExprKind::List ? *at.items[i] : at, "an integer or a dim", item);
      return std::nullopt;
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

// The state whose rows a value is, or shows a part of; kNone where it has bytes of its own.
ValueId Elaborator::state_in(ValueId value) const {
  if (graph_.values[value].kind == ValueKind::State) return value;
  const auto shown = shown_.find(value);
  return shown == shown_.end() ? kNone : shown->second;
}

// What is put out is read when the phase has ended.
void Elaborator::check_states_put_out() {
  for (const Output& output : graph_.outputs) {
    if (output.phase != phase_) continue;
    const ValueId state = state_in(output.value);
    const auto appended = state == kNone ? appended_.end() : appended_.find(state);
    if (appended == appended_.end()) continue;
    report(Code::ReadAfterAppend, output.span, {graph_.values[state].id})
        .also(appended->second, "appended to here");
  }
}

// Adds an op; its results take the wanted ids, or the next number. Types follow in the shape pass.
Datum Elaborator::emit(const OpRow& row, Ids in, Spans spans, Attrs attrs, Span span, const Want& want) {
  if (graph_.ops.size() >= kMaxOps) {
    report(Code::TooManyOps, span, {std::to_string(kMaxOps)});
    stopped_ = true;
    return poison();
  }
  for (size_t i = 0; i < in.size(); ++i) {
    const ValueId state = in[i] == kNone ? kNone : state_in(in[i]);
    if (state == kNone) continue;
    if (i > 0 && row.updates_state && state == in[0] && state != in[i])
      continue;  // copied before it is written
    const auto before = appended_.find(state);
    if (before != appended_.end()) {
      const bool twice = state == in[i] && i == 0 && row.updates_state;
      report(twice ? Taking<1>(Code::AppendedTwice) : Taking<1>(Code::ReadAfterAppend), spans[i],
             {graph_.values[state].id})
          .also(before->second, "appended to here");
      return poison();
    }
    if (state == in[i] && i == 0 && row.updates_state) appended_.emplace(state, span);
  }
  const bool shows =
      row.window && row.shows != Shows::Nothing && row.shows != Shows::Joined && !row.updates_state;
  const ValueId shown = shows && in[0] != kNone ? state_in(in[0]) : kNone;
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
    if (shown != kNone)
      shown_[results.ids.back()] = shown;
    else if (!shown_.empty())
      shown_.erase(results.ids.back());  // of what was taken back
    graph_.values.push_back(std::move(value));
  }
  graph_.ops.push_back(std::move(op));
  return Datum(std::move(results));
}

}  // namespace irplan
