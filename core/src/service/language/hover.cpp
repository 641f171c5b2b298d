#include <algorithm>

#include "base/bytes.h"
#include "base/explanations.h"
#include "ir/datum.h"
#include "plan/plan.h"
#include "service/language/config_values.h"
#include "service/language/cursor.h"
#include "service/language/describe.h"
#include "service/language/facts.h"
#include "service/language/features.h"

namespace irplan::language {
namespace {

using names::Kind;
using What = names::Mention::What;

constexpr size_t kMostShown = 600;  // bytes of one value

std::string cut(std::string text) {
  if (text.size() <= kMostShown) return text;
  text.resize(kMostShown);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80)) text.pop_back();
  return text + "…";
}

void paragraph(std::string& out, const std::string& text) {
  if (!text.empty()) out += (out.empty() ? "" : "\n\n") + text;
}

// "decode: `bf16[1, 1, 4096]`, 8.0 KiB, buffer …"
std::string fact_line(const Fact& fact) {
  std::string out;
  const auto part = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  if (!fact.type.empty()) part("`" + fact.type + "`");
  if (!fact.at_sizes.empty()) part("at these sizes `" + fact.at_sizes + "`");
  if (fact.bytes) part(bytes_text(*fact.bytes));
  if (fact.type.empty() && !fact.text.empty()) part("`" + cut(fact.text) + "`");
  if (!fact.home.empty()) out += "; " + fact.home;
  if (fact.times > 1)
    out += "; bound " + std::to_string(fact.times) + " times" +
           (fact.types > 1 ? ", this the first of several shapes" : "");
  return (fact.phase.empty() ? "" : "**" + fact.phase + "**: ") + out;
}

class Teller {
 public:
  Teller(Document& document, uint32_t place) : document_(document), names_(document.names()), place_(place) {}

  std::optional<Hover> run() {
    const names::Mention* mention = names_.at(place_);
    if (mention) {
      out_.span = mention->span;
      tell(*mention);
    }
    if (out_.code.empty() && out_.text.empty() && !word()) out_.span = {place_, place_};
    diagnostics();
    if (out_.code.empty() && out_.text.empty()) return std::nullopt;
    return std::move(out_);
  }

 private:
  void tell(const names::Mention& mention) {
    switch (mention.what) {
      case What::Name: name(mention); break;
      case What::Operator:
        out_.code = std::string(mention.op->name) +
                    (mention.op->operand_text ? std::string(": ") + mention.op->operand_text : "");
        out_.text = operator_doc(*mention.op);
        break;
      case What::Output:
        out_.code = "output: x → y";
        out_.text = kOutputDoc;
        break;
      case What::Function:
        if (const ast::Function* found = ast::find_function(document_.source().slice(mention.span))) {
          out_.code = found->usage;
          out_.text = found->doc;
        }
        break;
      case What::Attribute: {
        const AttrSpec& attribute = mention.op->attributes[mention.index];
        out_.code = std::string(attribute.name) + " of " + mention.op->name;
        out_.text = attribute_doc(attribute);
        break;
      }
      case What::Operand: {
        const OperandSpec& operand = mention.op->operands[mention.index];
        out_.code = std::string(operand.name) + " of " + mention.op->name;
        out_.text = operand.optional ? "An operand that may be left out." : "An operand.";
        break;
      }
      case What::Dtype:
        if (const auto dtype = find_dtype(document_.source().slice(mention.span))) {
          out_.code = irplan::name(*dtype);
          out_.text = "A dtype: " + dtype_text(*dtype) + ".";
        }
        break;
      case What::Config:
      case What::Phase: ambient(mention); break;
      case What::Quantity:
        out_.code = std::string(document_.source().slice(mention.span));
        out_.text =
            "Bytes that the plan takes, of this kind; `memory` is the sum of weights, state, inputs and "
            "arena.";
        break;
      case What::Field:
        if (mention.expr) field(*mention.expr);
        break;
      case What::Key:
      case What::Unknown: break;
    }
  }

  void name(const names::Mention& mention) {
    const names::Name& name = names_.names()[mention.name];
    const std::string& text = names_.text(mention.name);
    switch (name.kind) {
      case Kind::Function:
        out_.code = "fn " + function_head(document_, name);
        out_.text = comment_above(document_, name);
        return;
      case Kind::Dim: return dim(name, text);
      case Kind::Phase: return phase(name, text);
      default: break;
    }
    out_.code = std::string(names::kind_text(name.kind)) + " " + text;
    if (name.kind == Kind::Let && name.item && name.item->value) {
      const ast::Expr& value = *name.item->value;
      out_.code = "let " + text + " = " + cut(std::string(document_.source().slice(value.span)));
      if (const ConfigNode* node = config_value(document_, value))
        paragraph(out_.text, "`" + cut(node->path()) + "` is `" + cut(show(*node)) + "`");
    }
    const auto places = names_.definitions(mention);
    for (const names::Mention* place : places) {
      const std::vector<Fact> facts = facts_at(document_, place->span, true);
      if (facts.size() == 1 && places.size() == 1 && !facts[0].type.empty())
        out_.code += ": " + facts[0].type;
      for (const Fact& fact : facts) {
        const std::string line = fact_line(fact);
        const std::string where =
            places.size() > 1
                ? "line " + std::to_string(document_.source().locate(place->span.begin).line) + ", "
                : "";
        if (!line.empty()) paragraph(out_.text, where + line);
      }
    }
    paragraph(out_.text, comment_above(document_, name));
  }

  void dim(const names::Name& name, const std::string& text) {
    out_.code = "dim " + text + " in " + range_text(document_, name);
    if (name.free) out_.text = "Declared by an input's type.";
    const Compilation* compilation = document_.compilation();
    if (!compilation || !compilation->graph) return;
    const Graph& graph = *compilation->graph;
    for (const Dim& one : graph.dim_list) {
      if (one.name != text) continue;
      if (!one.per.empty()) paragraph(out_.text, "One value for each row of `" + one.per + "`.");
      for (const Narrowing& narrowing : one.narrowings)
        paragraph(out_.text, "`" + irplan::text(narrowing.constraint) + "` narrows it from " +
                                 range(narrowing.before) + " to " + range(narrowing.after) + ".");
      if (compilation->plan)
        paragraph(out_.text, "Numbers of the plan are at " + std::to_string(one.value) +
                                 (one.assumed ? ", which is assumed." : "."));
      for (const Phase& phase : graph.phases) {
        for (const PhaseDim& own : phase.dims) {
          if (own.dim == one.index)
            paragraph(out_.text, "**" + phase.name +
                                     "**: " + (own.fixed ? std::to_string(own.value) : range(own.range)));
        }
      }
    }
  }

  static std::string range(const Interval& interval) {
    return std::to_string(interval.lo) + ".." +
           (interval.hi == Interval::kUnbounded ? "" : std::to_string(interval.hi));
  }

  void phase(const names::Name& name, const std::string& text) {
    out_.code = cut(name.item ? std::string(document_.source().slice(name.item->span)) : "phase " + text);
    const Compilation* compilation = document_.compilation();
    if (!compilation || !compilation->plan) return;
    for (const Plan::Phase& one : compilation->plan->phases) {
      if (one.name == text)
        out_.text = "Its arena takes " + bytes_text(one.peak_bytes) + ", " +
                    std::to_string(one.ops_end - one.ops_begin) + " ops.";
    }
  }

  void ambient(const names::Mention& mention) {
    const std::string_view text = document_.source().slice(mention.span);
    for (const ast::Ambient& one : ast::ambient_names()) {
      if (text != one.text) continue;
      out_.code = one.text;
      out_.text = one.doc;
    }
    if (mention.what != What::Config) return;
    if (const Config* config = document_.config())
      paragraph(out_.text, "`" + document_.config_name() + "`, " +
                               std::to_string(config->root()->entries.size()) + " keys.");
    else
      paragraph(out_.text, document_.config_text() ? "The given one cannot be read." : "None is given.");
  }

  void field(const ast::Expr& e) {
    const ConfigNode* node = config_value(document_, e);
    out_.code = std::string(document_.source().slice(e.span));
    if (node) {
      out_.code += " = " + cut(show(*node));
      paragraph(out_.text, "`" + cut(node->path()) + "` of `" + document_.config_name() + "`");
      return;
    }
    const ConfigNode* record = e.a ? config_value(document_, *e.a) : nullptr;
    if (record) out_.text = "The config has no such key.";
    if (!record) out_.code.clear();
  }

  // A word of the language; units and numbers.
  bool word() {
    const Cursor at(document_, place_);
    if (at.in_comment || at.in_text || at.word.end <= at.word.begin) return false;
    const std::string_view text = document_.source().slice(at.word);
    out_.span = at.word;
    if (const ast::Word* found = ast::find_word(text)) {
      out_.code = text;
      out_.text = found->doc;
      return true;
    }
    if (!at.in_number || (text.back() != 'B')) return false;
    for (const ast::Token& token : document_.tree().tokens) {
      if (token.span == at.word && token.kind == ast::TokenKind::Int)
        out_.code = std::string(text) + " = " + std::to_string(token.integer);
    }
    return !out_.code.empty();
  }

  // What the codes of the diagnostics at the place stand for.
  void diagnostics() {
    const Compilation* compilation = document_.compilation();
    if (!compilation) return;
    std::vector<Code> told;
    for (const Diagnostic& d : compilation->diagnostics.list()) {
      if (d.elsewhere || d.span.end == 0) continue;
      const auto span = document_.now(d.span);
      if (!span || place_ < span->begin || place_ > span->end) continue;
      if (std::find(told.begin(), told.end(), d.code) != told.end()) continue;
      told.push_back(d.code);
      paragraph(out_.text, "```text\n" + explain(info(d.code)) + "\n```");
    }
  }

  Document& document_;
  const names::Names& names_;
  uint32_t place_;
  Hover out_;
};

}  // namespace

std::optional<Hover> hover(Document& document, uint32_t place) { return Teller(document, place).run(); }

}  // namespace irplan::language
