// Expressions: compile-time arithmetic, config, strings, and what becomes an op when a tensor takes part.
#include <algorithm>
#include <cmath>

#include "ir/elaborator.h"

namespace irplan {
namespace {

using ast::ExprKind;
using ast::Operator;

Relation relation_of(Operator op) {
  return op == Operator::Ge || op == Operator::Gt ? Relation::GreaterEqual : Relation::LessEqual;
}

}  // namespace

void Elaborator::blame(Diagnostic& diagnostic, const Datum& datum) {
  if (datum.origin) diagnostic.note("`" + datum.origin->path() + "` is " + show(*datum.origin));
}

// A float remembers the config's value that made it one.
Datum Elaborator::made_of(double x, std::initializer_list<const Datum*> parts) {
  Datum made(x);
  for (const Datum* part : parts) {
    if (part->is<double>() && part->origin && !made.origin) made.origin = part->origin;
  }
  return made;
}

// A value that is no integer where one is needed. What a config's value brings about is told once.
void Elaborator::tell_no_integer(const ast::Expr& e, const std::string& wanted, const Datum& value) {
  if (value.is<double>() && value.origin && !told_floats_.insert(value.origin).second) return;
  Diagnostic& d = report(Code::Expected, e.span, {wanted, kind_name(value)});
  d.at(show(value));
  blame(d, value);
  if (value.is<Expr>()) d.help("`" + value.get<Expr>()->text() + "` is only known when the program runs");
  if (!value.is<double>()) return;
  const double x = value.origin ? value.origin->number : *value.get<double>();
  const bool whole = std::floor(x) == x && std::fabs(x) < 9e15;
  if (value.origin && whole)
    d.help("write " + std::to_string(static_cast<int64_t>(x)) + " in the config");
  else if (std::isfinite(x))
    d.help("round it: floor(" + slice(e.span) + ")");
}

Expr Elaborator::as_expr(const Datum& datum) {
  if (const auto* n = datum.get<int64_t>()) return graph_.dims->constant(*n);
  if (const auto* e = datum.get<Expr>()) return *e;
  return Expr();
}

Datum Elaborator::from_expr(Expr e, Span span) {
  if (e.sprawling()) {
    report(Code::ExpressionTooLarge, span)
        .rule("a sum has at most " + std::to_string(Dims::kMaxTerms) + " terms, a term " +
              std::to_string(Dims::kMaxDegree) + " factors, and " + std::to_string(Dims::kMaxFunctions) +
              " functions are nested");
    return poison();
  }
  if (e.overflowed()) {
    report(Code::ConstantTooLarge, span);
    return poison();
  }
  if (e.is_constant()) return Datum(e.constant());
  return Datum(e);
}

// The value as an extent; reports what is none.
Expr Elaborator::extent(const Datum& datum, const ast::Expr& e) {
  if (datum.poisoned()) return Expr();
  const Expr found = as_expr(datum);
  if (!found) tell_no_integer(e, "an integer or a dim", datum);
  return found;
}

Datum Elaborator::eval(const ast::Expr& e, const Want& want) {
  Datum value = raw(e, want);
  if (!value.missing()) return value;
  tell_missing(*value.get<Missing>());
  return poison();
}

Datum Elaborator::constant(const ast::Expr& e) {
  Namer namer;
  Datum value = eval(e, {nullptr, &namer});
  if (!value.is_tensor()) return value;
  report(Code::TensorAsConstant, e.span, {graph_.values[value.tensor()].id});
  return poison();
}

std::optional<int64_t> Elaborator::integer(const ast::Expr& e, const char* what) {
  const Datum value = constant(e);
  if (value.poisoned()) return std::nullopt;
  if (const auto* n = value.get<int64_t>()) return *n;
  tell_no_integer(e, std::string("an integer for ") + what, value);
  return std::nullopt;
}

std::optional<bool> Elaborator::truth(const ast::Expr& e) {
  const Datum value = constant(e);
  if (value.poisoned()) return std::nullopt;
  if (const auto* b = value.get<bool>()) return *b;
  Diagnostic& d = report(Code::Expected, e.span, {"a condition", kind_name(value)});
  d.at(show(value));
  blame(d, value);
  const bool simple = e.kind != ExprKind::Binary && e.kind != ExprKind::Ternary && e.kind != ExprKind::Unary;
  const std::string asked = simple ? slice(e.span) : "(" + slice(e.span) + ")";
  const char* const compared = value.is_number()                       ? " != 0"
                               : value.is<std::string>()               ? " != \"\""
                               : value.is_none()                       ? " ?? false"
                               : value.is_tensor() || value.is<Expr>() ? nullptr
                                                                       : " != none";
  if (compared && elsewhere_)
    d.help("write " + asked + compared);
  else if (compared)
    d.fix("write " + asked + compared, e.span, simple ? asked + compared : "(" + asked + compared + ")");
  return std::nullopt;
}

Datum Elaborator::from_config(const ConfigNode* node) {
  Datum value;
  switch (node->kind) {
    case ConfigNode::Kind::Null: value = Datum::none(); break;
    case ConfigNode::Kind::Bool: value = Datum(node->boolean); break;
    case ConfigNode::Kind::Int: value = Datum(node->integer); break;
    case ConfigNode::Kind::Float: value = Datum(node->number); break;
    case ConfigNode::Kind::String: value = Datum(node->string); break;
    case ConfigNode::Kind::List:
    case ConfigNode::Kind::Record: value = Datum(node); break;
  }
  if (node->kind != ConfigNode::Kind::List && node->kind != ConfigNode::Kind::Record) node->read = true;
  value.origin = node;
  return value;
}

Datum Elaborator::raw(const ast::Expr& e, const Want& want) {
  if (++steps_ > kMaxSteps && !stopped_) {
    report(Code::TooManySteps, e.span, {std::to_string(kMaxSteps)});
    stopped_ = true;
  }
  if (depth_ >= kMaxDepth && !stopped_) {
    report(Code::CallsTooDeep, e.span, {std::to_string(kMaxDepth)});
    stopped_ = true;
  }
  if (stopped_) return poison();
  ++depth_;
  Datum value = value_of(e, want);
  --depth_;
  return value;
}

Datum Elaborator::value_of(const ast::Expr& e, const Want& want) {
  switch (e.kind) {
    case ExprKind::Error: return poison();
    case ExprKind::Int: return Datum(e.integer);
    case ExprKind::Float: return Datum(e.number);
    case ExprKind::Bool: return Datum(e.boolean);
    case ExprKind::None: return Datum::none();
    case ExprKind::String: return string(e);
    case ExprKind::Name: return lookup(e.name);
    case ExprKind::Call: return call(e, want);
    case ExprKind::Param:
    case ExprKind::State: return leaf(e);
    case ExprKind::Field: return field(e, want);
    case ExprKind::Index: return index(e, want);
    case ExprKind::Unary: return unary(e, want);
    case ExprKind::Binary: return binary(e, want);
    case ExprKind::Ternary: {
      const auto chosen = truth(*e.a);
      if (!chosen) return poison();
      return raw(*chosen ? *e.b : *e.c, want);
    }
    case ExprKind::List: return list(e);
    case ExprKind::Record: return record(e);
  }
  return poison();
}

Datum Elaborator::list(const ast::Expr& e) {
  auto made = std::make_shared<DatumList>();
  for (const ast::Expr* item : e.items) {
    made->push_back(constant(*item));
    if (made->back().poisoned()) return poison();
    made->depth = std::max(made->depth, depth_of(made->back()) + 1);
  }
  if (!fits(e.span, made->size(), made->depth)) return poison();
  return Datum(std::shared_ptr<const DatumList>(std::move(made)));
}

Datum Elaborator::record(const ast::Expr& e) {
  auto made = std::make_shared<DatumRecord>();
  if (!fits(e.span, e.entries.size(), 1)) return poison();
  for (const ast::Entry& entry : e.entries) {
    for (const auto& [key, value] : *made) {
      if (key == text(entry.name)) report(Code::NameBoundTwice, entry.name.span, {key});
    }
    made->emplace_back(text(entry.name), constant(*entry.value));
    if (made->back().second.poisoned()) return poison();
    made->depth = std::max(made->depth, depth_of(made->back().second) + 1);
  }
  if (!fits(e.span, made->size(), made->depth)) return poison();
  return Datum(std::shared_ptr<const DatumRecord>(std::move(made)));
}

// Whether a list or record stays within the limits.
bool Elaborator::fits(Span span, size_t items, int depth) {
  if (depth > kMaxValueDepth) report(Code::NestedTooDeep, span, {std::to_string(kMaxValueDepth)});
  if (items > kMaxItems) report(Code::ListTooLong, span, {std::to_string(items), std::to_string(kMaxItems)});
  return depth <= kMaxValueDepth && items <= kMaxItems;
}

// What is missing within `span`.
Datum Elaborator::wider(const Datum& base, const ast::Expr& e) {
  Missing missing = *base.get<Missing>();
  missing.whole = &e;
  return Datum(missing);
}

Datum Elaborator::field(const ast::Expr& e, const Want& want) {
  if (auto asked = of_phase(e)) return *std::move(asked);
  Datum base = raw(*e.a, want);
  if (base.poisoned()) return base;
  if (base.missing()) return wider(base, e);
  const std::string& key = text(e.name);
  if (base.is_none()) return Datum(Missing{nullptr, &e, &e});
  if (const auto* node = base.get<const ConfigNode*>(); node && (*node)->kind == ConfigNode::Kind::Record) {
    const ConfigNode* found = (*node)->find(key);
    return found ? from_config(found) : Datum(Missing{*node, &e, &e});
  }
  if (const auto* record = base.get<std::shared_ptr<const DatumRecord>>()) {
    for (const auto& [name, value] : **record) {
      ++steps_;
      if (name == key) return value;
    }
    return Datum(Missing{nullptr, &e, &e});
  }
  Diagnostic& d = report(Code::FieldOfNoRecord, e.span, {key, kind_name(base)});
  if (base.is_tensor() && key == "T") d.help("transpose(" + slice(e.a->span) + ", perm=[1, 0])");
  blame(d, base);
  return poison();
}

Datum Elaborator::index(const ast::Expr& e, const Want& want) {
  Datum base = raw(*e.a, want);
  if (base.poisoned()) return base;
  if (base.missing()) return wider(base, e);
  Datum at = constant(*e.b);
  if (at.poisoned()) return at;
  const auto missing = [&] { return Datum(Missing{nullptr, &e, &e}); };
  if (base.is_none()) return missing();
  const auto* node = base.get<const ConfigNode*>();
  if (const auto* key = at.get<std::string>()) {
    if (node && (*node)->kind == ConfigNode::Kind::Record) {
      const ConfigNode* found = (*node)->find(*key);
      return found ? from_config(found) : Datum(Missing{*node, &e, &e});
    }
    if (const auto* record = base.get<std::shared_ptr<const DatumRecord>>()) {
      for (const auto& [name, value] : **record) {
        ++steps_;
        if (name == *key) return value;
      }
      return missing();
    }
  }
  if (const auto* i = at.get<int64_t>()) {
    if (node && (*node)->kind == ConfigNode::Kind::List) {
      const auto& items = (*node)->items;
      if (*i < 0 || *i >= static_cast<int64_t>(items.size())) return missing();
      return from_config(items[static_cast<size_t>(*i)]);
    }
    if (const auto* list = base.get<std::shared_ptr<const DatumList>>()) {
      if (*i < 0 || *i >= static_cast<int64_t>((*list)->size())) return missing();
      return (**list)[static_cast<size_t>(*i)];
    }
  }
  Diagnostic& d = report(Code::WrongIndex, e.span, {kind_name(base), kind_name(at)});
  d.rule("a list takes an integer, a record a string");
  if (base.is_tensor()) d.help("slice(" + slice(e.a->span) + ", axis=0, start=…, len=1)");
  blame(d, base);
  return poison();
}

Datum Elaborator::string(const ast::Expr& e) {
  auto text = interpolate(e.parts, e.span, nullptr);
  return text ? Datum(std::move(*text)) : poison();
}

std::optional<std::string> Elaborator::interpolate(const std::vector<ast::StringPart>& parts, Span span,
                                                   bool* starred) {
  std::string out;
  out.reserve(48);  // of a tensor's usual name
  for (const ast::StringPart& part : parts) {
    switch (part.kind) {
      case ast::StringPart::Kind::Text: out += part.text; break;
      case ast::StringPart::Kind::Star:
        if (!starred) {
          report(Code::StackedHere, part.span).rule("`{*}` is only allowed in the name after `from`");
          return std::nullopt;
        }
        *starred = true;
        out += "{*}";
        break;
      case ast::StringPart::Kind::Expr: {
        const Datum value = constant(*part.expr);
        if (value.poisoned()) return std::nullopt;
        if (const auto* n = value.get<int64_t>()) {
          out += std::to_string(*n);
        } else if (const auto* s = value.get<std::string>()) {
          out += *s;
        } else {
          report(Code::Expected, part.expr->span, {"an integer or a string", kind_name(value)});
          return std::nullopt;
        }
      }
    }
    if (out.size() > kMaxStringBytes) {
      report(Code::StringTooLong, span, {std::to_string(kMaxStringBytes)});
      stopped_ = true;
      return std::nullopt;
    }
  }
  return out;
}

// `phase` compared with a name that is nearly a phase's: a slip that nothing else would show.
void Elaborator::check_phase(const ast::Expr& phase, const Datum& other, const ast::Expr& written) {
  const auto* name = other.get<std::string>();
  if (!name || phase.kind != ExprKind::Name || text(phase.name) != "phase") return;
  std::vector<std::string> names;
  for (const Phase& p : graph_.phases) {
    if (p.name == *name) return;
    names.push_back(p.name);
  }
  const std::string near = nearest(*name, names);
  if (near.empty()) return;
  Diagnostic& d = report(Code::UnknownPhase, written.span, {*name});
  if (written.kind == ExprKind::String) {
    d.fix("did you mean `" + near + "`", written.span, "\"" + near + "\"");
  } else {
    d.help("did you mean `" + near + "`");
  }
}

Datum Elaborator::unary(const ast::Expr& e, const Want& want) {
  if (e.op == Operator::Not) {
    const auto value = truth(*e.a);
    return value ? Datum(!*value) : poison();
  }
  Datum value = eval(*e.a, {nullptr, want.namer});
  if (value.poisoned()) return value;
  if (value.is_tensor()) {
    const OpRow& row = *find_op("neg");
    return emit(row, Ids{value.tensor()}, Spans{e.a->span}, Attrs(row), e.span, want);
  }
  if (const auto* d = value.get<double>()) return made_of(-*d, {&value});
  const Expr n = as_expr(value);
  if (!n) return operand_error(e, value, value);
  return from_expr(graph_.dims->constant(0) - n, e.span);
}

Datum Elaborator::binary(const ast::Expr& e, const Want& want) {
  switch (e.op) {
    case Operator::Coalesce: {
      std::vector<std::string> own =
          want.ids ? *want.ids : std::vector<std::string>();  // the right side may need them again
      Datum first = raw(*e.a, {want.ids ? &own : nullptr, want.namer});
      if (first.missing()) note_absent(*first.get<Missing>());
      if (!first.missing() && !first.is_none()) return first;
      return raw(*e.b, want);
    }
    case Operator::And:
    case Operator::Or: {
      const auto first = truth(*e.a);
      if (!first) return poison();
      if (*first == (e.op == Operator::Or)) return Datum(*first);
      const auto second = truth(*e.b);
      return second ? Datum(*second) : poison();
    }
    default: break;
  }
  const Want inner{nullptr, want.namer};
  const Datum a = eval(*e.a, inner);
  const Datum b = eval(*e.b, inner);
  if (a.poisoned() || b.poisoned()) return poison();
  if (e.op >= Operator::Eq && e.op <= Operator::Ge) return compare(e, a, b);
  if (a.is_tensor() || b.is_tensor()) return tensor_arithmetic(e, a, b, want);
  return arithmetic(e, a, b);
}

Datum Elaborator::operand_error(const ast::Expr& e, const Datum& a, const Datum& b) {
  const bool one = e.kind == ExprKind::Unary;
  Diagnostic& d =
      report(Code::DoesNotTake, e.span,
             {spelling(e.op), one ? kind_name(a) : kind_name(a) + (" and " + std::string(kind_name(b)))});
  blame(d, a);
  if (!one) blame(d, b);
  return poison();
}

Datum Elaborator::compare(const ast::Expr& e, const Datum& a, const Datum& b) {
  if (a.is_tensor() || b.is_tensor()) {
    report(Code::TensorAsConstant, (a.is_tensor() ? e.a : e.b)->span,
           {graph_.values[(a.is_tensor() ? a : b).tensor()].id});
    return poison();
  }
  const bool symbolic = (a.is<Expr>() && b.is_extent()) || (b.is<Expr>() && a.is_extent());
  if (symbolic) {
    // A dim is known only when the program runs, unless its range settles the question.
    const Ranges ranges = ranges_now();
    const Expr x = as_expr(a), y = as_expr(b);
    const bool equality = e.op == Operator::Eq || e.op == Operator::Ne;
    const bool strict = e.op == Operator::Lt || e.op == Operator::Gt;
    const Expr right = !strict ? y : e.op == Operator::Lt ? y - 1 : y + 1;
    const Truth found = decide(x, equality ? Relation::Equal : relation_of(e.op), right, ranges);
    if (found != Truth::Unknown) return Datum((found == Truth::Yes) != (e.op == Operator::Ne));
    report(Code::KnownAtRunTime, e.span, {a.is<Expr>() ? x.text() : y.text()})
        .help("write a limit on it as a budget: budget " + slice(e.span));
    return poison();
  }
  if (e.op == Operator::Eq || e.op == Operator::Ne) {
    check_phase(*e.a, b, *e.b);
    check_phase(*e.b, a, *e.a);
    const bool same = equal(a, b, steps_, kMaxSteps);
    return steps_ > kMaxSteps ? raw(e, {})
                              : Datum(same == (e.op == Operator::Eq));  // raw() says that it is too much
  }
  if (!a.is_number() || !b.is_number()) return operand_error(e, a, b);
  if (a.is<int64_t>() && b.is<int64_t>()) {
    const int64_t x = *a.get<int64_t>(), y = *b.get<int64_t>();
    return Datum(e.op == Operator::Lt   ? x < y
                 : e.op == Operator::Le ? x <= y
                 : e.op == Operator::Gt ? x > y
                                        : x >= y);
  }
  const double x = a.number(), y = b.number();
  return Datum(e.op == Operator::Lt   ? x < y
               : e.op == Operator::Le ? x <= y
               : e.op == Operator::Gt ? x > y
                                      : x >= y);
}

Datum Elaborator::arithmetic(const ast::Expr& e, const Datum& a, const Datum& b) {
  if (e.op == Operator::Div || e.op == Operator::FloorDiv || e.op == Operator::Mod) return divide(e, a, b);
  if (a.is_number() && b.is_number() && (a.is<double>() || b.is<double>())) {
    const double x = a.number(), y = b.number();
    return made_of(e.op == Operator::Add ? x + y : e.op == Operator::Sub ? x - y : x * y, {&a, &b});
  }
  const Expr x = as_expr(a), y = as_expr(b);
  if (!x || !y) return operand_error(e, a, b);
  Datum result = from_expr(e.op == Operator::Add ? x + y : e.op == Operator::Sub ? x - y : x * y, e.span);
  if (result.poisoned() && !diagnostics_.list().empty()) {
    for (const Datum* side : {&a, &b}) {
      if (side->origin)
        report(Code::ConstantTooLarge, e.span).note("`" + side->origin->path() + "` is " + show(*side));
    }
  }
  return result;
}

Datum Elaborator::divide(const ast::Expr& e, const Datum& a, const Datum& b) {
  if (b.is_number() && b.number() == 0) {
    Diagnostic& d = report(Code::DivisionByZero, e.span);
    blame(d, b);
    return poison();
  }
  if (a.is_number() && b.is_number() && (a.is<double>() || b.is<double>())) {
    const double q = a.number() / b.number();
    if (e.op == Operator::Div) return made_of(q, {&a, &b});
    if (e.op == Operator::FloorDiv) return made_of(std::floor(q), {&a, &b});
    return operand_error(e, a, b);
  }
  const Expr x = as_expr(a), y = as_expr(b);
  if (!x || !y) return operand_error(e, a, b);
  Dims& dims = *graph_.dims;
  if (bounds(y, ranges_now()).lo <= 0) {
    Diagnostic& d = report(Code::DivisorNotPositive, e.b->span, {y.text()});
    blame(d, b);
    return poison();
  }
  if (e.op == Operator::FloorDiv) return from_expr(dims.floordiv(x, y), e.span);
  if (e.op == Operator::Mod) return from_expr(dims.mod(x, y), e.span);
  // R9: `/` must divide exactly; where sizes decide, that becomes a guard.
  if (const auto quotient = dims.divide_exactly(x, y)) return from_expr(*quotient, e.span);
  if (x.is_constant() && y.is_constant()) {
    Diagnostic& d = report(Code::NoMultiple, e.span, {x.text(), y.text()});
    blame(d, a);
    blame(d, b);
    d.rule("`/` on integers divides exactly").help("`//` rounds down, `ceildiv(a, b)` up");
    return poison();
  }
  graph_.guards.push_back({{dims.mod(x, y), Relation::Equal, dims.constant(0)}, e.span, phase_, false});
  return from_expr(dims.floordiv(x, y), e.span);
}

Datum Elaborator::tensor_arithmetic(const ast::Expr& e, const Datum& a, const Datum& b, const Want& want) {
  const char* name = nullptr;
  switch (e.op) {
    case Operator::Add: name = "add"; break;
    case Operator::Sub: name = "sub"; break;
    case Operator::Mul: name = "mul"; break;
    case Operator::Div: name = "div"; break;
    default: return operand_error(e, a, b);
  }
  const OpRow& row = *find_op(name);
  Attrs attrs(row);
  Ids in;
  Spans spans;
  for (const Datum* side : {&a, &b}) {
    const ast::Expr& place = side == &a ? *e.a : *e.b;
    if (side->is_tensor()) {
      in.push_back(side->tensor());
      spans.push_back(place_of(place));
    } else if (side->is_number()) {
      attrs.set("scalar", side->is<int64_t>() ? Attr(*side->get<int64_t>()) : Attr(*side->get<double>()));
      if (side == &a && (e.op == Operator::Sub || e.op == Operator::Div))
        attrs.set("scalar_first", Attr(true));
    } else {
      Diagnostic& d = report(Code::Expected, place.span, {"a tensor or a number", kind_name(*side)});
      blame(d, *side);
      return poison();
    }
  }
  return emit(row, std::move(in), std::move(spans), std::move(attrs), e.span, want);
}

}  // namespace irplan
