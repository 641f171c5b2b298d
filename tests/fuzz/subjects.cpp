#include "fuzz/subjects.h"

#include <vector>

#include "irplan/compile.h"
#include "irplan/format.h"
#include "syntax/lexer.h"
#include "syntax/parser.h"

namespace irplan::fuzz {
namespace {

using namespace syntax;
using syntax::Expr;  // not the one of sizes

class Printer {
 public:
  explicit Printer(const Tree& tree) : tree_(tree) {
    for (const Item* item : tree.items) print(*item);
  }
  std::string out;

 private:
  void word(const std::string& text) { out += text + " "; }
  // A text of nothing but errors holds no names at all.
  void print(const Name& name) {
    word(name.symbol < tree_.symbol_count() ? tree_.text(name.symbol) : std::string());
  }

  void print(const Type& type) {
    for (const Name& name : type.dtype) print(name);
    word("[");
    for (const Expr* e : type.extents) print(e);
    word("]");
  }

  void print(const Block* block) {
    if (!block) return word("-");
    word("{");
    for (const Item* item : block->items) print(*item);
    word("}");
  }

  void print(const Expr* e) {
    if (!e) return word("-");
    word("(" + std::to_string(static_cast<int>(e->kind)) + "/" + std::to_string(static_cast<int>(e->op)));
    word(std::to_string(e->integer) + "/" + std::to_string(e->number) + "/" + std::to_string(e->boolean) +
         std::to_string(e->has_from));
    print(e->name);
    for (const Expr* part : {e->a, e->b, e->c}) print(part);
    for (const Expr* item : e->items) print(item);
    for (const Arg& arg : e->args) {
      if (arg.name) print(*arg.name);
      print(arg.value);
    }
    for (const Entry& entry : e->entries) print(entry.name), print(entry.value);
    for (const StringPart& part : e->parts) {
      word("'" + part.text + "'" + std::to_string(static_cast<int>(part.kind)));
      print(part.expr);
    }
    if (e->kind == ExprKind::Param || e->kind == ExprKind::State) print(e->type);
    word(")");
  }

  void print(const Item& item) {
    word("\n" + std::to_string(static_cast<int>(item.kind)) + "/" + std::to_string(item.version));
    print(item.name);
    if (item.per) print(*item.per);
    for (const Expr* e : {item.value, item.high, item.message}) print(e);
    if (item.kind == ItemKind::Input) print(item.type);
    for (const PhaseEntry& entry : item.entries) {
      print(entry.dim);
      for (const Expr* e : {entry.equals, entry.low, entry.high}) print(e);
    }
    for (const Parameter& parameter : item.parameters) {
      print(parameter.name);
      if (parameter.annotation) print(*parameter.annotation);
      print(parameter.fallback);
    }
    for (const syntax::Target& target : item.targets) {
      print(target.name);
      if (target.annotation) print(*target.annotation);
    }
    for (const Name& name : item.carried) print(name);
    for (const Expr* e : item.values) print(e);
    print(item.body);
    print(item.otherwise);
  }

  const Tree& tree_;
};

// Words and comments, without what the layout may change.
std::vector<std::string> words_of(const SourceText& source) {
  std::vector<std::string> words;
  Diagnostics ignored;
  const auto tokens = lex(source, {0, static_cast<uint32_t>(source.text().size())}, ignored);
  for (const Token& token : tokens) {
    if (token.kind != TokenKind::Newline && token.kind != TokenKind::End)
      words.emplace_back(source.slice(token.span));
  }
  for (const Comment& comment : comments_of(source, tokens)) {
    std::string said(source.slice(comment.span));
    while (!said.empty() && (said.back() == ' ' || said.back() == '\t' || said.back() == '\r'))
      said.pop_back();
    words.push_back(std::move(said));
  }
  return words;
}

std::string check_diagnostics(const Diagnostics& diagnostics, const SourceText& source) {
  for (const Diagnostic& d : diagnostics.list()) {
    const auto inside = [&](Span span) { return span.begin <= span.end && span.end <= source.text().size(); };
    if (!inside(d.span)) return "a diagnostic outside of the text: " + d.message;
    for (const Label& label : d.labels) {
      if (!inside(label.span)) return "a label outside of the text: " + d.message;
    }
    for (const Fix& fix : d.fixes) {
      for (const Edit& edit : fix.edits) {
        if (!inside(edit.span)) return "an edit outside of the text: " + d.message;
      }
    }
    if (render(d, source, false).empty() || to_json(d, source).empty()) return "a diagnostic without text";
  }
  return {};
}

bool has_error(const Expr* e) {
  if (!e) return false;
  if (e->kind == ExprKind::Error) return true;
  for (const Expr* part : {e->a, e->b, e->c}) {
    if (has_error(part)) return true;
  }
  return false;
}

}  // namespace

std::string tree_text(std::string_view program) {
  const SourceText source("fuzz.irplan", std::string(program));
  Diagnostics diagnostics;
  return Printer(parse(source, diagnostics)).out;
}

std::string check_text(std::string_view text) {
  const SourceText source("fuzz.irplan", std::string(text));
  Diagnostics diagnostics;
  const Tree tree = parse(source, diagnostics);
  if (std::string why = check_diagnostics(diagnostics, source); !why.empty()) return why;
  const std::string before = Printer(tree).out;
  if (!diagnostics.has_errors()) {
    for (const Item* item : tree.items) {
      if (item->kind == ItemKind::Error || has_error(item->value)) return "an error that nobody reported";
    }
  }
  Diagnostics formatting;
  const auto formatted = format(source, formatting);
  if (formatted.has_value() == diagnostics.has_errors()) return "format and parse disagree about errors";
  if (!formatted) return {};
  const SourceText laid_out("fuzz.irplan", *formatted);
  Diagnostics again;
  const auto twice = format(laid_out, again);
  if (!twice) return "the formatted program has errors:\n" + render(again, laid_out, false) + *formatted;
  if (*twice != *formatted) return "formatting is not idempotent:\n" + *formatted + "\n---\n" + *twice;
  if (words_of(source) != words_of(laid_out)) return "words or comments changed:\n" + *formatted;
  if (tree_text(*formatted) != before) return "the tree changed:\n" + *formatted;
  return {};
}

std::string check_compile(std::string_view text, std::string_view config) {
  CompileOptions options;
  if (!config.empty()) options.config = std::string(config);
  const Compilation done = compile(SourceText("fuzz.irplan", std::string(text)), options);
  if (std::string why = check_diagnostics(done.diagnostics, done.source); !why.empty()) return why;
  if (done.ok == done.diagnostics.has_errors()) return "neither a plan nor an error, or both";
  if (done.ok == done.plan_json.empty()) return "a success without a plan";
  return {};
}

}  // namespace irplan::fuzz
