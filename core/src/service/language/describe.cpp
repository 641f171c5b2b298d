#include "service/language/describe.h"

#include <algorithm>
#include <utility>

#include "ir/datum.h"
#include "service/language/config_values.h"
#include "service/language/facts.h"

namespace irplan::language {
namespace {

const char* kind_text(AttrKind kind) {
  switch (kind) {
    case AttrKind::Bool: return "bool";
    case AttrKind::Int: return "int";
    case AttrKind::Number: return "number";
    case AttrKind::Extent: return "size";
    case AttrKind::Extents: return "list of sizes";
    case AttrKind::Ints: return "list of ints";
    case AttrKind::Dtype: return "dtype";
    case AttrKind::Word: return "word";
    case AttrKind::Record: return "record";
  }
  return "";
}

}  // namespace

std::vector<std::string> choices_of(const AttrSpec& attribute) {
  std::vector<std::string> out(1);
  for (const char* c = attribute.choices ? attribute.choices : ""; *c; ++c) {
    if (*c == '|')
      out.emplace_back();
    else
      out.back() += *c;
  }
  return out;
}

std::string attribute_doc(const AttrSpec& attribute) {
  std::string type = kind_text(attribute.kind);
  if (attribute.choices) {
    type.clear();
    for (const std::string& choice : choices_of(attribute))
      type += (type.empty() ? "\"" : " | \"") + choice + "\"";
  }
  return type + (attribute.fallback ? std::string(", default `") + attribute.fallback + "`" : ", required");
}

std::string operator_doc(const OpRow& row) {
  std::string out = row.doc ? row.doc : "";
  if (row.shape_text) out += "\n\nShape: `" + std::string(row.shape_text) + "`";
  if (row.in_place) out += "\n\nMay run in place.";
  std::string attributes;
  for (const AttrSpec& attribute : row.attributes) {
    if (!attribute.implicit)
      attributes += "\n- `" + std::string(attribute.name) + "`: " + attribute_doc(attribute);
  }
  return attributes.empty() ? out : out + "\n" + attributes;
}

std::string operator_signature(const OpRow& row) {
  std::string out = std::string(row.name) + "(";
  bool first = true;
  const auto comma = [&] { out += std::exchange(first, false) ? "" : ", "; };
  for (const OperandSpec& operand : row.operands)
    comma(), out += operand.name + std::string(operand.optional ? "?" : "");
  if (row.variadic) out += ", …";
  for (const AttrSpec& attribute : row.attributes) {
    if (!attribute.implicit)
      comma(), out += attribute.name + (attribute.fallback ? std::string("=") + attribute.fallback : "");
  }
  return out + ")";
}

std::string dtype_text(DType dtype) {
  const DTypeInfo& type = info(dtype);
  const std::string bytes = std::to_string(type.bytes) + (type.bytes == 1 ? " byte" : " bytes");
  return type.elements == 1 ? bytes + " an element"
                            : bytes + " for " + std::to_string(type.elements) + " elements";
}

std::string range_text(Document& document, const names::Name& dim) {
  const std::string& name = document.tree().text(dim.symbol);
  const Compilation* compilation = document.compilation();
  if (compilation && compilation->graph) {
    for (const Dim& one : compilation->graph->dim_list) {
      if (one.name != name) continue;
      return std::to_string(one.range.lo) + ".." +
             (one.range.hi == Interval::kUnbounded ? "" : std::to_string(one.range.hi));
    }
  }
  if (dim.free || !dim.item || !dim.item->value || !dim.item->high) return "1..";
  return std::string(document.source().slice({dim.item->value->span.begin, dim.item->high->span.end}));
}

std::string function_head(Document& document, const names::Name& function) {
  std::string out = document.tree().text(function.symbol) + "(";
  const auto& parameters = function.item->parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ast::Parameter& one = parameters[i];
    out += (i > 0 ? ", " : "") + document.tree().text(one.name.symbol);
    if (one.annotation) out += ": " + std::string(document.source().slice(one.annotation->span));
    if (one.fallback) out += "=" + std::string(document.source().slice(one.fallback->span));
  }
  return out + ")";
}

std::string summary(Document& document, names::NameId id) {
  const names::Name& name = document.names().names()[id];
  if (name.kind == names::Kind::Function) return function_head(document, name);
  if (name.kind == names::Kind::Dim) return range_text(document, name);
  if (name.kind == names::Kind::Let && name.item && name.item->value) {
    const ConfigNode* node = config_value(document, *name.item->value);
    if (node && node->kind != ConfigNode::Kind::Record && node->kind != ConfigNode::Kind::List)
      return "= " + show(*node);
  }
  const std::vector<Fact> facts = facts_at(document, document.names().mentions()[name.mentions.front()].span);
  if (!facts.empty() && !facts[0].type.empty()) return facts[0].type;
  if (!facts.empty() && !facts[0].text.empty()) return "= " + facts[0].text;
  return names::kind_text(name.kind);
}

std::string comment_above(Document& document, const names::Name& name) {
  if (!name.item) return "";
  const SourceText& source = document.source();
  std::string out;
  for (uint32_t line = source.locate(name.item->span.begin).line; line > 1; --line) {
    const std::string_view text = source.line(line - 1);
    const size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos || text[first] != '#') break;
    const size_t begin = std::min(text.find_first_not_of("# \t", first), text.size());
    out = std::string(text.substr(begin)) + (out.empty() ? "" : "\n") + out;
  }
  return out;
}

}  // namespace irplan::language
