// What an editor asks about a program. Places are bytes of the text as it stands; every answer is found from
// the fresh tree, with what the last compilation knows where that still holds. Nothing here throws, reports
// or compiles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/language/document.h"

namespace irplan::language {

// ---- completion
enum class CompletionKind : uint8_t {
  Name,
  Dim,
  Function,
  Operator,
  Attribute,
  Keyword,
  Snippet,
  Dtype,
  Phase,
  Unit,
  Key,
  Constant
};
struct Completion {
  std::string label;
  CompletionKind kind = CompletionKind::Name;
  std::string detail;    // beside it, one line
  std::string doc;       // Markdown
  std::string insert;    // what is written
  bool snippet = false;  // `insert` has ${1:…} and $0
  int rank = 5;          // smaller ones first
};
struct Completions {
  Span replaced;  // the part of a word that is typed already
  std::vector<Completion> items;
};
Completions complete(Document& document, uint32_t place);

// ---- hover
struct Hover {
  Span span;
  std::string code;  // a line of the language: what the word is
  std::string text;  // Markdown
};
std::optional<Hover> hover(Document& document, uint32_t place);

// ---- signature help: the call that the place is in
struct Signature {
  std::string label;  // rmsnorm(x, w?, eps, offset=0)
  std::string doc;
  struct Parameter {
    uint32_t begin = 0, end = 0;  // in the label
    std::string doc;
  };
  std::vector<Parameter> parameters;
  size_t active = 0;  // the parameter that is typed; their number where none is
};
std::optional<Signature> signature(Document& document, uint32_t place);

// ---- inlay hints
struct Hint {
  uint32_t place = 0;
  std::string text;     // ": bf16[B, S, 4096]"
  std::string tooltip;  // Markdown
};
std::vector<Hint> hints(Document& document, Span part);

// ---- places of a name
std::vector<Span> definitions(Document& document, uint32_t place);
struct Place {
  Span span;
  bool binds = false;
};
std::vector<Place> references(Document& document, uint32_t place);
struct Renaming {
  std::string refusal;  // why not; empty where it can be
  Span word;            // that is asked about
  std::vector<Edit> edits;
};
Renaming may_rename(Document& document, uint32_t place);
Renaming rename(Document& document, uint32_t place, std::string_view to);

// ---- the text as a whole
struct Outline {
  std::string name, detail;
  names::Kind kind = names::Kind::Value;
  Span whole, word;
  std::vector<Outline> inner;
};
std::vector<Outline> outline(Document& document);
struct Fold {
  uint32_t first = 0, last = 0;  // lines from 1
  bool comment = false;
};
std::vector<Fold> folds(Document& document);
enum class Colour : uint8_t {
  Keyword,
  Comment,
  Text,
  Number,
  Sign,
  Value,
  Constant,
  Dim,
  Parameter,
  Function,
  Operator,
  Attribute,
  Type,
  Phase,
  Key
};
constexpr const char* kColourNames[] = {"keyword",  "comment",    "string",        "number",    "operator",
                                        "variable", "enumMember", "typeParameter", "parameter", "function",
                                        "function", "property",   "type",          "enum",      "property"};
struct Coloured {
  Span span;
  Colour colour = Colour::Value;
  bool binds = false, builtin = false;
};
std::vector<Coloured> colours(Document& document);

// ---- quick fixes: the changes that diagnostics of the last compilation propose, where their text still
// stands
struct QuickFix {
  std::string title;
  const Diagnostic* diagnostic = nullptr;
  std::vector<Edit> edits;
};
std::vector<QuickFix> fixes(Document& document, Span part);

}  // namespace irplan::language
