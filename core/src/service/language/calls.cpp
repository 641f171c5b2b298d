// Signature help and inlay hints.
#include <algorithm>

#include "base/bytes.h"
#include "service/language/cursor.h"
#include "service/language/describe.h"
#include "service/language/facts.h"
#include "service/language/features.h"

namespace irplan::language {
namespace {

using Parameters = std::vector<Signature::Parameter>;

// A label of parts in brackets, with the place of each.
class LabelWriter {
 public:
  explicit LabelWriter(Signature& out, std::string_view name) : out_(out) {
    out_.label = std::string(name) + "(";
  }
  void part(const std::string& text, std::string doc) {
    if (!out_.parameters.empty()) out_.label += ", ";
    const auto begin = static_cast<uint32_t>(out_.label.size());
    out_.label += text;
    out_.parameters.push_back({begin, static_cast<uint32_t>(out_.label.size()), std::move(doc)});
  }
  void close() { out_.label += ")"; }

 private:
  Signature& out_;
};

Signature of_operator(const OpRow& row, const OpenCall& call) {
  Signature out;
  out.doc = row.doc ? row.doc : "";
  LabelWriter label(out, row.name);
  std::vector<std::string> keys;
  for (const OperandSpec& operand : row.operands) {
    label.part(operand.name + std::string(operand.optional ? "?" : ""),
               operand.optional ? "May be left out." : "");
    keys.emplace_back(operand.name);
  }
  for (const AttrSpec& attribute : row.attributes) {
    if (attribute.implicit) continue;
    label.part(attribute.name + (attribute.fallback ? std::string("=") + attribute.fallback : ""),
               attribute_doc(attribute));
    keys.emplace_back(attribute.name);
  }
  label.close();
  const auto keyword = std::find(keys.begin(), keys.end(), call.keyword);
  if (!call.keyword.empty())
    out.active = static_cast<size_t>(keyword - keys.begin());
  else if (row.variadic || call.argument < row.operands.size())
    out.active = std::min(call.argument, row.operands.size() - 1);
  else
    out.active = keys.size();
  return out;
}

Signature of_function(Document& document, const names::Name& function, const OpenCall& call) {
  Signature out;
  out.doc = comment_above(document, function);
  LabelWriter label(out, call.name);
  const auto& parameters = function.item->parameters;
  out.active = call.argument;
  for (size_t i = 0; i < parameters.size(); ++i) {
    std::string text = document.tree().text(parameters[i].name.symbol);
    if (text == call.keyword) out.active = i;
    if (parameters[i].annotation)
      text += ": " + std::string(document.source().slice(parameters[i].annotation->span));
    if (parameters[i].fallback)
      text += "=" + std::string(document.source().slice(parameters[i].fallback->span));
    label.part(text, "");
  }
  label.close();
  return out;
}

}  // namespace

std::optional<Signature> signature(Document& document, uint32_t place) {
  const Cursor at(document, place);
  if (!at.call || at.in_comment) return std::nullopt;
  const names::Names& names = document.names();
  for (const names::Name& name : names.names()) {
    const bool function = name.kind == names::Kind::Function && name.item && !name.mentions.empty();
    if (function && document.tree().text(name.symbol) == at.call->name)
      return of_function(document, name, *at.call);
  }
  const OpRow* row = find_op(at.call->name);
  if (row && !row->fused && !row->operands.empty()) return of_operator(*row, *at.call);
  const bool output = at.call->name == "output";
  const ast::Function* function = ast::find_function(at.call->name);
  if (!output && !function) return std::nullopt;
  Signature out;
  out.label = output ? "output(x)" : function->usage;
  out.doc = output ? kOutputDoc : function->doc;
  uint32_t begin = static_cast<uint32_t>(out.label.find('(')) + 1;
  while (begin < out.label.size()) {
    const auto end = static_cast<uint32_t>(out.label.find_first_of(",)", begin));
    out.parameters.push_back({begin, end, ""});
    begin = end + (out.label[end] == ',' ? 2 : 1);
  }
  out.active = std::min(at.call->argument, out.parameters.size() - 1);
  return out;
}

std::vector<Hint> hints(Document& document, Span part) {
  std::vector<Hint> out;
  const names::Names& names = document.names();
  const auto first =
      std::lower_bound(names.mentions().begin(), names.mentions().end(), part.begin,
                       [](const names::Mention& m, uint32_t place) { return m.span.end < place; });
  for (auto it = first; it != names.mentions().end() && it->span.begin <= part.end; ++it) {
    if (it->name == names::kNoName || it->role != names::Role::Binding) continue;
    const names::Name& name = names.names()[it->name];
    const bool value = name.kind == names::Kind::Value || name.kind == names::Kind::Output ||
                       name.kind == names::Kind::Parameter;
    if (!value && name.kind != names::Kind::Let) continue;
    const std::vector<Fact> facts = facts_at(document, it->span);
    if (facts.empty()) continue;
    Hint hint;
    if (value && !facts[0].type.empty()) {
      const auto largest = std::max_element(facts.begin(), facts.end(), [](const Fact& a, const Fact& b) {
        return a.bytes.value_or(0) < b.bytes.value_or(0);
      });
      // Behind the statement, so that what is laid out in columns stays so.
      const bool several = it->item && it->item->targets.size() > 1;
      hint.place = it->expr && name.kind != names::Kind::Parameter ? it->expr->span.end : it->span.end;
      hint.text =
          (several ? names.text(it->name) : "") + ": " + largest->type + (largest->types > 1 ? " …" : "");
      if (largest->bytes) hint.text += ", " + bytes_text(*largest->bytes);
    } else if (name.kind == names::Kind::Let && !facts[0].text.empty() && it->expr) {
      const bool literal = it->expr->kind >= ast::ExprKind::Int && it->expr->kind <= ast::ExprKind::None;
      constexpr size_t kShort = 40;  // bytes of a value that is shown in the line
      if (literal || facts[0].text.size() > kShort || facts[0].times > 1) continue;
      hint.place = it->expr->span.end;
      hint.text = "= " + facts[0].text;
    } else {
      continue;
    }
    for (const Fact& fact : facts) {
      hint.tooltip += (hint.tooltip.empty() ? "" : "\n\n") + (fact.phase.empty() ? "" : fact.phase + ": ") +
                      "`" + (fact.type.empty() ? fact.text : fact.type) + "`";
      if (!fact.at_sizes.empty()) hint.tooltip += ", at these sizes `" + fact.at_sizes + "`";
      if (fact.bytes) hint.tooltip += ", " + bytes_text(*fact.bytes);
    }
    out.push_back(std::move(hint));
  }
  return out;
}

}  // namespace irplan::language
