// Types, and the leaves that have one written out: `param` and `state`.
#include <algorithm>

#include "ir/elaborator.h"
#include "ir/words.h"
#include "ops/alias.h"

namespace irplan {

using ast::ExprKind;

std::optional<DType> Elaborator::dtype(const ast::Type& type) {
  if (type.dtype.empty()) return std::nullopt;
  Datum value = lookup(type.dtype[0]);
  for (size_t i = 1; i < type.dtype.size() && !value.poisoned(); ++i) {
    const auto* node = value.get<const ConfigNode*>();
    const ConfigNode* found = node ? (*node)->find(text(type.dtype[i])) : nullptr;
    if (!found) {
      report(Code::NoSuchKey, type.dtype[i].span,
             {node ? (*node)->path() + "." + text(type.dtype[i]) : text(type.dtype[i])});
      return std::nullopt;
    }
    value = from_config(found);
  }
  if (value.poisoned()) return std::nullopt;
  const auto dtype = as_dtype(value);
  if (!dtype) {
    Diagnostic& d = report(Code::NotADtype, type.dtype[0].span, {show(value)});
    blame(d, value);
    if (const auto* word = value.get<std::string>()) {
      const auto alias = dtype_alias(*word);
      const std::string near = alias ? irplan::name(*alias) : nearest(*word, dtype_names());
      if (!near.empty()) d.help("did you mean `" + near + "`");
    }
    d.rule("dtypes are " + joined(dtype_names(), " "));
  }
  return dtype;
}

std::optional<TensorType> Elaborator::tensor_type(const ast::Type& type) {
  const auto element = dtype(type);
  TensorType out;
  bool good = element.has_value();
  if (element) out.dtype = *element;
  if (type.extents.size() > kMaxRank) {
    report(Code::TooManyAxes, type.span, {std::to_string(type.extents.size()), std::to_string(kMaxRank)});
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
      Diagnostic& d = report(Code::ExtentMayBeNegative, e->span, {n.text()});
      blame(d, value);
      good = false;
    }
    out.shape.push_back(n);
  }
  if (!good) return std::nullopt;
  const int block = info(out.dtype).elements;
  if (block > 1 &&
      (out.shape.empty() || !graph_.dims->mod(out.shape.back(), graph_.dims->constant(block)).is(0))) {
    report(Code::BlockExtent, type.span, {irplan::name(out.dtype), std::to_string(block)});
    return std::nullopt;
  }
  return out;
}

// Where a state's rows are a top-level `let` as it stands, that is what a shorter cache would change.
void Elaborator::note_cache_let(const ast::Expr& rows) {
  if (rows.kind != ExprKind::Name || find_local(rows.name.symbol)) return;
  const auto let = size_let(rows);
  const auto same = [&](const SizeLet& known) { return known.name == let->name; };
  if (!let || std::any_of(graph_.cache_lets.begin(), graph_.cache_lets.end(), same)) return;
  graph_.cache_lets.push_back(*let);
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
      report(Code::SourceNameEmpty, e.span);
      return poison();
    }
  } else {
    // Without `from` the bound name counts, which only the top level has.
    const ast::Item* bound = nullptr;
    for (const ast::Item* item : tree_.items) {
      if (item->kind == ast::ItemKind::Bind && item->value == &e && item->targets.size() == 1) bound = item;
    }
    if (!bound) {
      report(Code::LeafWithoutName, e.span, {state ? "state" : "param"})
          .help("name it: … from \"layers.{i}.weight\"");
      return poison();
    }
    source = text(bound->targets[0].name);
  }
  if (!type) return poison();
  if (state && type->shape.size() < 2) {
    report(Code::StateAxes, e.span, {source}).at(irplan::text(*type));
    return poison();
  }
  if (state && starred) {
    report(Code::StackedHere, e.span).rule("`{*}` stacks stored tensors of a param");
    return poison();
  }
  if (starred && (type->shape.empty() || !type->shape[0].is_constant())) {
    report(Code::StackedExtent, e.span, {source});
    return poison();
  }
  const auto [known, fresh] =
      (state ? states_ : params_).try_emplace(source, static_cast<ValueId>(graph_.values.size()));
  if (!fresh) {
    const Value& first = graph_.values[known->second];
    if (!(first.type == *type)) {
      if (first.span == e.span && (tell_parted(first, first.type) || tell_parted(first, *type)))
        return poison();
      Diagnostic& d = report(Code::DeclaredTwice, e.span, {source});
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
