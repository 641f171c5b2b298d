// The text as a whole: symbols, folding, colours; and changes that diagnostics propose.
#include <algorithm>

#include "base/sort.h"
#include "service/language/describe.h"
#include "service/language/features.h"
#include "syntax/lexer.h"

namespace irplan::language {
namespace {

using ast::ItemKind;
using ast::punct;
using names::Kind;
using What = names::Mention::What;

class Outliner {
 public:
  explicit Outliner(Document& document) : tree_(document.tree()) {}

  std::vector<Outline> of(const std::vector<const ast::Item*>& items) {
    std::vector<Outline> out;
    for (const ast::Item* item : items) add(item->as_read ? *item->as_read : *item, out);
    return out;
  }

 private:
  void add(const ast::Item& item, std::vector<Outline>& out) {
    switch (item.kind) {
      case ItemKind::Let: put(item, item.name, Kind::Let, out); break;
      case ItemKind::Dim: put(item, item.name, Kind::Dim, out); break;
      case ItemKind::Input: put(item, item.name, Kind::Input, out); break;
      case ItemKind::Phase: put(item, item.name, Kind::Phase, out); break;
      case ItemKind::Fn:
        if (Outline* made = put(item, item.name, Kind::Function, out)) made->inner = of(item.body->items);
        break;
      case ItemKind::For:
        if (Outline* made = put(item, item.name, Kind::Loop, out)) {
          made->name = "for " + made->name;
          made->inner = of(item.body->items);
        }
        break;
      case ItemKind::If:
        for (const ast::Block* block : {item.body, item.otherwise}) {
          if (!block) continue;
          for (Outline& one : of(block->items)) out.push_back(std::move(one));
        }
        break;
      case ItemKind::Bind: {
        const bool output = item.value && item.value->kind == ast::ExprKind::Call &&
                            tree_.text(item.value->name.symbol) == "output";
        for (const ast::Target& target : item.targets)
          put(item, target.name, output ? Kind::Output : Kind::Value, out);
        break;
      }
      default: break;
    }
  }

  Outline* put(const ast::Item& item, const ast::Name& name, Kind kind, std::vector<Outline>& out) {
    if (tree_.text(name.symbol).empty()) return nullptr;
    Outline& made = out.emplace_back();
    made.name = tree_.text(name.symbol);
    made.detail = names::kind_text(kind);
    made.kind = kind;
    made.word = name.span;
    made.whole = {std::min(item.span.begin, name.span.begin), std::max(item.span.end, name.span.end)};
    return &made;
  }

  const ast::Tree& tree_;
};

}  // namespace

std::vector<Outline> outline(Document& document) { return Outliner(document).of(document.tree().items); }

std::vector<Fold> folds(Document& document) {
  std::vector<Fold> out;
  const SourceText& source = document.source();
  const auto& tokens = document.tree().tokens;
  std::vector<uint32_t> open;
  for (const ast::Token& token : tokens) {
    if (token.punct == punct("{") || token.punct == punct("(") || token.punct == punct("["))
      open.push_back(source.locate(token.span.begin).line);
    const bool closes = token.punct == punct("}") || token.punct == punct(")") || token.punct == punct("]");
    if (!closes || open.empty()) continue;
    const uint32_t first = open.back(), last = source.locate(token.span.begin).line;
    open.pop_back();
    const bool nested = !out.empty() && out.back().first == first && !out.back().comment;  // one fold a line
    if (last > first + 1 && !nested) out.push_back({first, last - 1, false});
    if (last > first + 1 && nested) out.back().last = last - 1;
  }
  uint32_t first = 0, last = 0;
  const auto flush = [&] {
    if (last > first) out.push_back({first, last, true});
    first = last = 0;
  };
  for (const ast::Comment& comment : ast::comments_of(source, tokens)) {
    const uint32_t line = source.locate(comment.span.begin).line;
    if (!comment.own_line) continue;
    if (last == 0 || line != last + 1) {
      flush();
      first = line;
    }
    last = line;
  }
  flush();
  // Runs of `let`, `dim` and `input` at the top level.
  ItemKind kind = ItemKind::Error;
  for (const ast::Item* item : document.tree().items) {
    const uint32_t begin = source.locate(item->span.begin).line, end = source.locate(item->span.end).line;
    const bool runs =
        item->kind == ItemKind::Let || item->kind == ItemKind::Dim || item->kind == ItemKind::Input;
    if (!runs || item->kind != kind || begin != last + 1) {
      if (kind != ItemKind::Error && last > first + 1) out.push_back({first, last, false});
      first = begin;
      kind = runs ? item->kind : ItemKind::Error;
    }
    last = end;
  }
  if (kind != ItemKind::Error && last > first + 1) out.push_back({first, last, false});
  sort_range(out.begin(), out.end(), [](const Fold& a, const Fold& b) {
    return std::pair(a.first, b.last) < std::pair(b.first, a.last);
  });
  return out;
}

namespace {

Coloured colour_of(const names::Names& names, const names::Mention& mention) {
  Coloured out;
  out.span = mention.span;
  out.binds = mention.role == names::Role::Binding;
  switch (mention.what) {
    case What::Name:
      switch (names.names()[mention.name].kind) {
        case Kind::Let: out.colour = Colour::Constant; break;
        case Kind::Dim: out.colour = Colour::Dim; break;
        case Kind::Function: out.colour = Colour::Function; break;
        case Kind::Parameter: out.colour = Colour::Parameter; break;
        case Kind::Phase: out.colour = Colour::Phase; break;
        default: out.colour = Colour::Value; break;
      }
      break;
    case What::Operator:
    case What::Output:
    case What::Function:
      out.colour = Colour::Operator;
      out.builtin = true;
      break;
    case What::Attribute:
    case What::Operand: out.colour = Colour::Attribute; break;
    case What::Dtype: out.colour = Colour::Type, out.builtin = true; break;
    case What::Config:
    case What::Phase:
    case What::Quantity: out.colour = Colour::Value, out.builtin = true; break;
    case What::Field:
    case What::Key: out.colour = Colour::Key; break;
    case What::Unknown: out.colour = Colour::Value; break;
  }
  return out;
}

}  // namespace

std::vector<Coloured> colours(Document& document) {
  std::vector<Coloured> out;
  const names::Names& names = document.names();
  const SourceText& source = document.source();
  auto mention = names.mentions().begin();
  const auto end = names.mentions().end();
  const auto meant_before = [&](uint32_t place) {
    for (; mention != end && mention->span.begin < place; ++mention)
      out.push_back(colour_of(names, *mention));
  };
  const auto& tokens = document.tree().tokens;
  const auto comments = ast::comments_of(source, tokens);
  auto comment = comments.begin();
  for (const ast::Token& token : tokens) {
    for (; comment != comments.end() && comment->span.begin < token.span.begin; ++comment) {
      meant_before(comment->span.begin);
      out.push_back({comment->span, Colour::Comment, false, false});
    }
    meant_before(token.span.begin);
    const std::string_view text = source.slice(token.span);
    if (token.kind == ast::TokenKind::Name) {
      if (mention != end && mention->span.begin == token.span.begin) continue;
      if (ast::find_word(text)) out.push_back({token.span, Colour::Keyword, false, false});
    } else if (token.kind == ast::TokenKind::Int || token.kind == ast::TokenKind::Float) {
      out.push_back({token.span, Colour::Number, false, false});
    } else if (token.kind == ast::TokenKind::String) {
      // Around the words that are meant in it: interpolations, phases.
      uint32_t at = token.span.begin;
      for (; mention != end && mention->span.begin < token.span.end; ++mention) {
        if (mention->span.begin > at) out.push_back({{at, mention->span.begin}, Colour::Text, false, false});
        out.push_back(colour_of(names, *mention));
        at = mention->span.end;
      }
      if (at < token.span.end) out.push_back({{at, token.span.end}, Colour::Text, false, false});
    }
  }
  return out;
}

std::vector<QuickFix> fixes(Document& document, Span part) {
  std::vector<QuickFix> out;
  const Compilation* compilation = document.compilation();
  if (!compilation) return out;
  for (const Diagnostic& d : compilation->diagnostics.list()) {
    if (d.elsewhere) continue;
    const auto span = document.now(d.span);
    if (!span || span->end < part.begin || span->begin > part.end) continue;
    for (const Fix& fix : d.fixes) {
      QuickFix made{fix.message, &d, {}};
      for (const Edit& edit : fix.edits) {
        const auto place = document.now(edit.span);
        if (place) made.edits.push_back({*place, edit.text});
      }
      if (!fix.edits.empty() && made.edits.size() == fix.edits.size()) out.push_back(std::move(made));
    }
  }
  return out;
}

}  // namespace irplan::language
