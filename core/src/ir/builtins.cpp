// Compile-time functions: min, len, round and their like, one row each.
#include <algorithm>
#include <cmath>

#include "ir/elaborator.h"
#include "ir/words.h"

namespace irplan {

struct Elaborator::Builtin {
  const char* name;
  const char* usage;
  size_t least, most;  // arguments
  Datum (Elaborator::*value)(const BuiltinCall&);
};

std::span<const Elaborator::Builtin> Elaborator::builtins() {
  constexpr size_t kAny = SIZE_MAX;
  static constexpr Builtin kRows[] = {
      // name     usage                  arguments  value
      {"min", "two or more numbers", 2, kAny, &Elaborator::extreme},
      {"max", "two or more numbers", 2, kAny, &Elaborator::extreme},
      {"ceil", "one number", 1, 1, &Elaborator::whole},
      {"floor", "one number", 1, 1, &Elaborator::whole},
      {"ceildiv", "ceildiv(a, b)", 2, 2, &Elaborator::ceildiv},
      {"sqrt", "one number", 1, 1, &Elaborator::real_function},
      {"log", "one number", 1, 1, &Elaborator::real_function},
      {"len", "len(list)", 1, 1, &Elaborator::length},
      {"has", "has(list, x)", 2, 2, &Elaborator::contains},
      {"round", "round(x, dtype)", 2, 2, &Elaborator::rounded},
  };
  return kRows;
}

std::vector<std::string> Elaborator::builtin_names() {
  std::vector<std::string> names;
  for (const Builtin& row : builtins()) names.emplace_back(row.name);
  return names;
}

const Elaborator::Builtin* Elaborator::find_builtin(std::string_view name) {
  for (const Builtin& row : builtins()) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

Datum Elaborator::call_builtin(const ast::Expr& e, const std::vector<Datum>& args) {
  const Builtin& row = *find_builtin(text(e.name));
  if (args.size() < row.least || args.size() > row.most) {
    report(Code::DoesNotTake, e.span, {row.name, arguments_text(args.size())}).rule(row.usage);
    return poison();
  }
  return (this->*row.value)({e, row.name, args});
}

Datum Elaborator::wrong_kind(const BuiltinCall& call, size_t i, const char* wanted) {
  Diagnostic& d = report(Code::Expected, call.e.args[i].value->span, {wanted, kind_name(call.args[i])});
  blame(d, call.args[i]);
  return poison();
}

Datum Elaborator::length(const BuiltinCall& call) {
  const Datum& of = call.args[0];
  if (const auto* s = of.get<std::string>()) return Datum(static_cast<int64_t>(s->size()));
  if (const auto* node = of.get<const ConfigNode*>()) {
    return Datum(static_cast<int64_t>(std::max((*node)->items.size(), (*node)->entries.size())));
  }
  if (const auto* list = of.get<std::shared_ptr<const DatumList>>())
    return Datum(static_cast<int64_t>((*list)->size()));
  return wrong_kind(call, 0, "a list");
}

Datum Elaborator::contains(const BuiltinCall& call) {
  const auto same = [&](const Datum& item) { return equal(item, call.args[1], steps_, kMaxSteps); };
  if (const auto* node = call.args[0].get<const ConfigNode*>()) {
    if ((*node)->kind != ConfigNode::Kind::List) return wrong_kind(call, 0, "a list");
    (*node)->read = true;
    const auto& items = (*node)->items;
    return Datum(std::any_of(items.begin(), items.end(),
                             [&](const ConfigNode* item) { return same(from_config(item)); }));
  }
  const auto* list = call.args[0].get<std::shared_ptr<const DatumList>>();
  if (!list) return wrong_kind(call, 0, "a list");
  return Datum(std::any_of((*list)->begin(), (*list)->end(), same));
}

Datum Elaborator::rounded(const BuiltinCall& call) {
  if (!call.args[0].is_number()) return wrong_kind(call, 0, "a number");
  const auto dtype = as_dtype(call.args[1]);
  if (!dtype || is_block(*dtype)) return wrong_kind(call, 1, "a plain dtype");
  const double x = call.args[0].number();
  return Datum(is_float(*dtype) ? round_to(x, *dtype) : std::nearbyint(x));
}

// min, max: of numbers where one is a float, of extents otherwise.
Datum Elaborator::extreme(const BuiltinCall& call) {
  const bool least = call.name == "min";
  bool floats = false;
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (!call.args[i].is_number() && !call.args[i].is<Expr>())
      return wrong_kind(call, i, "a number or a dim");
    floats |= call.args[i].is<double>();
  }
  if (!floats) return fold_extents(call, least ? Function::Min : Function::Max);
  Datum best = made_of(call.args[0].is_number() ? call.args[0].number() : 0, {&call.args[0]});
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (!call.args[i].is_number()) return wrong_kind(call, i, "a number");
    const double x = call.args[i].number(), before = best.number();
    best = made_of(least ? std::min(before, x) : std::max(before, x), {&best, &call.args[i]});
  }
  return best;
}

Datum Elaborator::ceildiv(const BuiltinCall& call) {
  for (size_t i = 0; i < 2; ++i) {
    if (!call.args[i].is<int64_t>() && !call.args[i].is<Expr>()) {
      tell_no_integer(*call.e.args[i].value, "an integer or a dim", call.args[i]);
      return poison();
    }
  }
  const Expr divisor = as_expr(call.args[1]);
  if (bounds(divisor, ranges_now()).lo <= 0) {
    Diagnostic& d = report(Code::DivisorNotPositive, call.e.args[1].value->span, {divisor.text()});
    blame(d, call.args[1]);
    return poison();
  }
  return fold_extents(call, Function::Ceildiv);
}

Datum Elaborator::fold_extents(const BuiltinCall& call, Function function) {
  Expr total = as_expr(call.args[0]);
  for (size_t i = 1; i < call.args.size(); ++i)
    total = graph_.dims->call(function, total, as_expr(call.args[i]));
  return from_expr(total, call.e.span);
}

// ceil, floor
Datum Elaborator::whole(const BuiltinCall& call) {
  if (!call.args[0].is_number()) return wrong_kind(call, 0, "a number");
  if (call.args[0].is<int64_t>()) return call.args[0];
  const double x = call.args[0].number();
  const double n = call.name == "ceil" ? std::ceil(x) : std::floor(x);
  if (std::fabs(n) < 9.2e18) return Datum(static_cast<int64_t>(n));
  report(Code::ConstantTooLarge, call.e.span);
  return poison();
}

// sqrt, log
Datum Elaborator::real_function(const BuiltinCall& call) {
  if (!call.args[0].is_number()) return wrong_kind(call, 0, "a number");
  const double x = call.args[0].number();
  const bool root = call.name == "sqrt";
  if (x > 0 || (root && !(x < 0))) return Datum(root ? std::sqrt(x) : portable_log(x));
  Diagnostic& d = report(Code::NoRealNumber, call.e.span, {call.name, show(call.args[0])});
  blame(d, call.args[0]);
  return poison();
}

}  // namespace irplan
