#include <algorithm>

#include "ir/datum.h"
#include "irplan/dtype.h"
#include "service/language/config_values.h"
#include "service/language/cursor.h"
#include "service/language/describe.h"
#include "service/language/features.h"

namespace irplan::language {
namespace {

using names::Kind;
using Kinds = CompletionKind;

constexpr const char* kUnits[] = {"B", "KB", "KiB", "MB", "MiB", "GB", "GiB", "TB", "TiB"};
constexpr size_t kMostKeys = 2000;  // of one record of a config

CompletionKind kind_of(Kind kind) {
  switch (kind) {
    case Kind::Dim: return Kinds::Dim;
    case Kind::Function: return Kinds::Function;
    case Kind::Let: return Kinds::Constant;
    case Kind::Phase: return Kinds::Phase;
    default: return Kinds::Name;
  }
}

class Completer {
 public:
  Completer(Document& document, uint32_t place)
      : document_(document), names_(document.names()), place_(place), at_(document, place) {
    out_.replaced = at_.word.end > at_.word.begin ? Span{at_.word.begin, std::max(at_.word.end, place)}
                                                  : Span{place, place};
    if (at_.in_text) out_.replaced = at_.word;
  }

  Completions run() {
    if (at_.in_comment) return std::move(out_);
    if (at_.in_text)
      in_text();
    else if (at_.in_number)
      units();
    else if (at_.before == ".")
      fields();
    else if (at_.starts)
      statement();
    else
      inside();
    return std::move(out_);
  }

 private:
  Completion& add(std::string label, CompletionKind kind, std::string detail = "", int rank = 5) {
    Completion& item = out_.items.emplace_back();
    item.insert = label;
    item.label = std::move(label);
    item.kind = kind;
    item.detail = std::move(detail);
    item.rank = rank;
    return item;
  }

  void word(const char* text, int rank = 3) {
    const ast::Word* found = ast::find_word(text);
    Completion& item = add(text, Kinds::Keyword, "", rank);
    if (found) item.doc = found->doc;
  }

  // ---- words of the program

  void own_names(int rank, bool values_alone = false) {
    for (const names::NameId id : names_.visible(place_)) {
      const names::Name& name = names_.names()[id];
      if (names_.mentions()[name.mentions.front()].span.begin == at_.word.begin) continue;  // what is typed
      if (values_alone && (name.kind == Kind::Function || name.kind == Kind::Let || name.kind == Kind::Dim))
        continue;
      Completion& item = add(names_.text(id), kind_of(name.kind), summary(document_, id), rank);
      if (name.kind == Kind::Function) item.doc = comment_above(document_, name);
    }
  }

  void dims(int rank) {
    for (const names::Name& name : names_.names()) {
      if (name.kind == Kind::Dim && !name.mentions.empty())
        add(document_.tree().text(name.symbol), Kinds::Dim, range_text(document_, name), rank);
    }
  }

  void phases(int rank) {
    for (const names::NameId phase : names_.phases()) add(names_.text(phase), Kinds::Phase, "phase", rank);
  }

  // ---- words of the language

  void operators(int rank) {
    for (const OpRow& row : op_table()) {
      if (row.fused) continue;
      Completion& item = add(row.name, Kinds::Operator, row.operand_text ? row.operand_text : "", rank);
      item.doc = operator_doc(row);
    }
    add("output", Kinds::Operator, "x → y", rank).doc = kOutputDoc;
  }

  void functions(int rank) {
    for (const ast::Function& function : ast::functions()) {
      if (find_op(function.name)) continue;
      Completion& item = add(function.name, Kinds::Function, function.usage, rank);
      item.doc = function.doc;
    }
  }

  void dtypes(int rank) {
    for (int i = 0; i < kDTypes; ++i)
      add(name(static_cast<DType>(i)), Kinds::Dtype, dtype_text(static_cast<DType>(i)), rank);
  }

  void ambient(int rank) {
    for (const ast::Ambient& one : ast::ambient_names())
      add(one.text, Kinds::Constant, "", rank).doc = one.doc;
  }

  void snippet(const ast::Word& word, int rank) {
    Completion& item = add(word.text, word.snippet ? Kinds::Snippet : Kinds::Keyword, "", rank);
    item.doc = word.doc;
    if (!word.snippet) return;
    item.insert = word.snippet;
    item.snippet = true;
  }

  // ---- places

  void statement() {
    const bool top = at_top();
    for (const ast::Word& one : ast::words()) {
      if (one.role == ast::WordRole::Statement || (top && one.role == ast::WordRole::Item)) snippet(one, 2);
    }
    if (at_.before == "}") word("else", 1);
    own_names(4, true);
  }

  bool at_top() const {
    for (names::RegionId r = names_.region_at(place_); r != 0; r = names_.regions()[r].parent) return false;
    return true;
  }

  void inside() {
    if (at_.in_phase && at_.before != "=" && at_.before != "in" && at_.before != "..") return dims(1);
    if (at_.opener == "dim" && at_.before2 == "dim") return word("in", 1);
    if (at_.opener == "for" && at_.before == "for") return;  // a new name
    if (at_.opener == "for" && at_.before2 == "for") return word("in", 1);
    if (at_.before == "with" || (at_.opener == "for" && at_.before == ",")) return own_names(1, true);
    if (at_.before == "let" || at_.before == "dim" || at_.before == "input" || at_.before == "phase" ||
        at_.before == "fn")
      return;
    if (at_.before == ":" && (at_.opener == "input" || !at_.in_brackets || at_.opener == "fn"))
      return type(1);
    if (at_.before == "param" || at_.before == "state") return type(1);
    if (at_.opener == "budget") return budget();
    if (at_.before == "]" && !at_.in_brackets) word("from", 1);
    if (at_.opener == "for" && at_.before != "in" && !at_.in_brackets) word("with", 1);
    if (at_.call && at_.call->direct && arguments()) return;
    expression();
  }

  void type(int rank) {
    dtypes(rank);
    own_names(rank + 1);
    ambient(rank + 2);
  }

  void budget() {
    add("memory", Kinds::Constant, "all of them", 1);
    for (const char* one : kQuantities) add(one, Kinds::Constant, "bytes", 1);
    dims(2);
    phases(2);
    own_names(4);
  }

  void expression() {
    own_names(2);
    ambient(3);
    operators(4);
    functions(4);
    for (const ast::Word& one : ast::words()) {
      if (one.role == ast::WordRole::Leaf) snippet(one, 5);
      if (one.role == ast::WordRole::Value) word(one.text, 6);
    }
    dtypes(7);
  }

  // Keywords of the call, or values of the one that stands before; true where nothing else makes sense.
  bool arguments() {
    const OpRow* row = find_op(at_.call->name);
    if (row && row->fused) row = nullptr;
    const auto given = [&](std::string_view name) {
      return std::find(at_.call->given.begin(), at_.call->given.end(), name) != at_.call->given.end();
    };
    if (!at_.call->keyword.empty() || at_.before == "=") return row && at_.before == "=" && values(*row);
    if (at_.before != "(" && at_.before != ",") return false;
    const names::Name* function = nullptr;
    for (const names::NameId id : names_.visible(place_)) {
      if (names_.names()[id].kind == Kind::Function && names_.text(id) == at_.call->name)
        function = &names_.names()[id];
    }
    if (function) {
      for (size_t i = at_.call->argument; i < function->item->parameters.size(); ++i) {
        const std::string& name = document_.tree().text(function->item->parameters[i].name.symbol);
        if (!given(name)) add(name, Kinds::Attribute, "parameter", 1).insert = name + "=";
      }
      return false;
    }
    if (!row) return false;
    for (const AttrSpec& attribute : row->attributes) {
      if (attribute.implicit || given(attribute.name)) continue;
      Completion& item = add(attribute.name, Kinds::Attribute,
                             attribute.fallback ? std::string("= ") + attribute.fallback : "required",
                             attribute.fallback ? 1 : 0);
      item.doc = attribute_doc(attribute);
      item.insert += '=';
    }
    for (size_t i = at_.call->argument; i < row->operands.size(); ++i) {
      const OperandSpec& operand = row->operands[i];
      if (operand.optional && !given(operand.name))
        add(operand.name, Kinds::Attribute, "optional operand", 2).insert += '=';
    }
    return false;
  }

  // What a keyword's value can be, where there are few; true where those are all.
  bool values(const OpRow& row) {
    const std::string_view keyword = at_.call->keyword.empty() ? at_.before2 : at_.call->keyword;
    for (const AttrSpec& attribute : row.attributes) {
      if (keyword != attribute.name) continue;
      if (attribute.kind == AttrKind::Word) {
        for (const std::string& choice : choices_of(attribute))
          add("\"" + choice + "\"", Kinds::Constant, "", 1);
        return true;
      }
      if (attribute.kind == AttrKind::Bool) word("true", 1), word("false", 1);
      if (attribute.kind == AttrKind::Dtype) dtypes(1);
    }
    return false;
  }

  void in_text() {
    const std::string_view call = at_.call ? at_.call->name : std::string_view();
    const bool compared = (at_.before == "==" || at_.before == "!=") && at_.before2 == "phase";
    if (compared || call == "has") return phases(1);
    const OpRow* row = find_op(call);
    if (!row || at_.before != "=") return;
    for (const AttrSpec& attribute : row->attributes) {
      if (at_.before2 != attribute.name || attribute.kind != AttrKind::Word) continue;
      for (const std::string& choice : choices_of(attribute)) add(choice, Kinds::Constant, "", 1);
    }
  }

  void units() {
    const std::string_view number = document_.source().slice(at_.word);
    size_t digits = 0;
    while (digits < number.size() && ((number[digits] >= '0' && number[digits] <= '9') ||
                                      number[digits] == '_' || number[digits] == '.'))
      ++digits;
    const std::string typed(number.substr(0, digits));
    out_.replaced = {at_.word.begin, at_.word.end};
    for (const char* unit : kUnits) add(typed + unit, Kinds::Unit, "bytes", 1);
  }

  void fields() {
    if (at_.path.empty()) return;
    const bool lone = at_.path.size() == 1;
    if (at_.opener == "budget" && lone) {
      for (const names::NameId phase : names_.phases()) {
        if (names_.text(phase) != at_.path[0]) continue;
        add("memory", Kinds::Constant, "all of them", 1);
        for (const char* one : kQuantities) add(one, Kinds::Constant, "bytes", 1);
        return dims(2);
      }
    }
    const ConfigNode* node = config_value(document_, at_.path[0], place_);
    for (size_t i = 1; node && i < at_.path.size(); ++i) {
      if (node->kind == ConfigNode::Kind::Record) {
        node = node->find(at_.path[i]);
      } else if (node->kind == ConfigNode::Kind::List && !node->items.empty()) {
        node = node->items.front();
      } else {
        node = nullptr;
      }
    }
    if (!node || node->kind != ConfigNode::Kind::Record) return;
    for (size_t i = 0; i < node->entries.size() && i < kMostKeys; ++i) {
      const auto& [key, value] = node->entries[i];
      add(key, Kinds::Key, show(*value), 1);
    }
  }

  Document& document_;
  const names::Names& names_;
  uint32_t place_;
  Cursor at_;
  Completions out_;
};

}  // namespace

Completions complete(Document& document, uint32_t place) { return Completer(document, place).run(); }

}  // namespace irplan::language
