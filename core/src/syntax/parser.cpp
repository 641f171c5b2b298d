// Items and statements; tokens and recovery.
#include "syntax/parser.h"

#include <algorithm>

#include "syntax/parser_impl.h"

namespace irplan::syntax {
namespace {

constexpr const char* kTopLevel[] = {"irplan", "dim", "input", "phase", "budget", "fn"};
constexpr const char* kKeywords[] = {"irplan", "let", "require", "dim", "input", "phase", "budget", "fn", "for", "if", "return"};

bool is_one_of(std::string_view word, const char* const* begin, const char* const* end) {
  return std::any_of(begin, end, [&](const char* other) { return word == other; });
}

}  // namespace

Tree parse(const SourceText& source, Diagnostics& diagnostics) {
  Tree tree;
  if (source.text().size() > kMaxSourceBytes) {
    diagnostics.report(Code::E0106, {}, {std::to_string(source.text().size()), std::to_string(kMaxSourceBytes)});
    return tree;
  }
  Parser(tree, source, {0, static_cast<uint32_t>(source.text().size())}, diagnostics).program();
  return tree;
}

const Expr* parse_expression(Tree& tree, const SourceText& source, Diagnostics& diagnostics) {
  const size_t before = diagnostics.errors();
  const Expr* e = Parser(tree, source, {0, static_cast<uint32_t>(source.text().size())}, diagnostics).whole_expression();
  return diagnostics.errors() > before ? nullptr : e;
}

Parser::Parser(Tree& tree, const SourceText& source, Span part, Diagnostics& diagnostics, int depth)
    : tree_(tree), source_(source), diagnostics_(diagnostics), tokens_(lex(source, part, diagnostics)), depth_(depth) {}

// ------------------------------------------------------------------------------------------------ tokens

const Token& Parser::peek(size_t ahead) {
  size_t i = next_;
  while (true) {
    if (brackets_ > 0) {
      while (tokens_[i].kind == TokenKind::Newline) ++i;
    }
    if (ahead == 0 || tokens_[i].kind == TokenKind::End) return tokens_[i];
    --ahead;
    ++i;
  }
}

const Token& Parser::take() {
  if (brackets_ > 0) skip_newlines();
  const Token& token = tokens_[next_];
  if (token.kind != TokenKind::End) ++next_;
  last_end_ = token.span.end;
  return token;
}

bool Parser::at(const char* sign) {
  const Token& token = peek();
  return token.kind == TokenKind::Punct && token.punct == punct(sign);
}

bool Parser::at_word(const char* word) {
  const Token& token = peek();
  return token.kind == TokenKind::Name && text(token.span) == word;
}

bool Parser::take_if(const char* sign) {
  if (!at(sign)) return false;
  take();
  return true;
}

bool Parser::expect(const char* sign, const char* what) {
  if (take_if(sign)) return true;
  fail(Code::E0110, peek().span, {what, found(peek())});
  return false;
}

bool Parser::close(const char* sign, Span opening) {
  if (take_if(sign)) return true;
  if (!panic_) {
    word_operator();
    if (!panic_) fail(Code::E0111, opening, {text(opening)}).also(peek().span, "expected `" + std::string(sign) + "` before " + found(peek()));
  }
  return false;
}

void Parser::skip_newlines() {
  while (tokens_[next_].kind == TokenKind::Newline) ++next_;
}

std::string Parser::found(const Token& token) const {
  if (token.kind == TokenKind::End) return "the end";
  if (token.kind == TokenKind::Newline) return text(token.span) == ";" ? "`;`" : "the end of the line";
  return "`" + std::string(text(token.span).substr(0, 40)) + "`";
}

Diagnostic& Parser::fail(Code code, Span span, std::initializer_list<std::string_view> arguments) {
  static thread_local Diagnostic ignored{};
  const bool told = panic_ || peek().kind == TokenKind::Bad;  // a bad token was reported by the lexer
  panic_ = true;
  if (told) return ignored = Diagnostic{}, ignored;
  return diagnostics_.report(code, span, arguments);
}

Name Parser::name(const char* what) {
  const Token& token = peek();
  if (token.kind != TokenKind::Name) {
    fail(Code::E0110, token.span, {what, found(token)});
    return {tree_.intern(""), token.span};
  }
  take();
  return {tree_.intern(text(token.span)), token.span};
}

bool Parser::enter(Span span) {
  if (depth_ < kMaxNesting) return ++depth_, true;
  if (!stopped_) diagnostics_.report(Code::E0108, span, {std::to_string(kMaxNesting)});
  stopped_ = panic_ = true;
  next_ = tokens_.size() - 1;
  return false;
}

Expr* Parser::error(Span span) { return &tree_.expr(ExprKind::Error, span); }

// To the end of the statement: the next newline outside of brackets that the statement opened, or the block's end.
void Parser::recover() {
  int open = 0;
  brackets_ = 0;
  while (tokens_[next_].kind != TokenKind::End) {
    const Token& token = tokens_[next_];
    if (token.kind == TokenKind::Newline && open == 0) break;
    if (token.kind == TokenKind::Punct) {
      if (token.punct == punct("{")) ++open;
      if (token.punct == punct("}")) {
        if (open == 0) break;
        --open;
      }
    }
    ++next_;
  }
  panic_ = false;
}

// ------------------------------------------------------------------------------------------------ items

void Parser::program() {
  skip_newlines();
  while (peek().kind != TokenKind::End && !stopped_) {
    const size_t before = next_;
    if (at("}")) {
      fail(Code::E0123, peek().span, {"}"});
      ++next_;
      panic_ = false;
    } else {
      tree_.items.push_back(item(true));
      end_of_item(true);
    }
    if (next_ == before && !stopped_) ++next_;
    skip_newlines();
  }
}

void Parser::end_of_item(bool top) {
  if (!panic_) {
    const Token& token = peek();
    const bool ends = token.kind == TokenKind::Newline || token.kind == TokenKind::End || (!top && at("}"));
    if (!ends) {
      word_operator();
      if (at("=") && !panic_) {
        fail(Code::E0115, token.span).fix("compare with `==`", token.span, "==");
      } else if (at("..") && !panic_) {
        fail(Code::E0125, token.span).rule("dim S in 1..2048");
      } else if (at("}") && !panic_) {
        fail(Code::E0123, token.span, {"}"});
        ++next_;
      } else if (!panic_) {
        fail(Code::E0121, token.span, {found(token)}).rule("a statement ends with its line, or with `;`");
      }
    }
  }
  if (panic_) recover();
}

const Block* Parser::block() {
  Block& block = tree_.block();
  const int outer = brackets_;
  brackets_ = 0;
  const Token opening = peek();
  if (!expect("{", "`{`")) return brackets_ = outer, &block;
  if (!enter(opening.span)) return &block;
  skip_newlines();
  while (!at("}") && peek().kind != TokenKind::End && !stopped_) {
    const size_t before = next_;
    block.items.push_back(item(false));
    end_of_item(false);
    if (next_ == before && !stopped_) ++next_;
    skip_newlines();
  }
  --depth_;
  close("}", opening.span);
  brackets_ = outer;
  block.span = since(opening.span.begin);
  return &block;
}

// Whether the item is a binding whatever its first word: `let = 3`, `budget: f16[4] = x`, `input, y = split(…)`.
bool Parser::begins_binding() {
  const Token& second = peek(1);
  if (second.kind != TokenKind::Punct) return false;
  return second.punct == punct("=") || second.punct == punct(",") || second.punct == punct(":");
}

Item* Parser::item(bool top) {
  const Token first = peek();
  const uint32_t begin = first.span.begin;
  Item* made = nullptr;
  if (first.kind == TokenKind::Name && !begins_binding()) made = keyword_item(std::string(text(first.span)), top);
  if (!made) made = bind_item();
  made->span = since(begin);
  return made;
}

// An item by its keyword; null where the word is none.
Item* Parser::keyword_item(const std::string& word, bool top) {
  if (!top && is_one_of(word, std::begin(kTopLevel), std::end(kTopLevel)) && peek(1).kind == TokenKind::Name) {
    fail(Code::E0117, peek().span, {word});
    return &tree_.item(ItemKind::Error, peek().span);
  }
  if (word == "let") return take(), let_item();
  if (word == "require") return take(), require_item();
  if (word == "dim" && peek(1).kind == TokenKind::Name) return take(), dim_item();
  if (word == "input" && peek(1).kind == TokenKind::Name) return take(), input_item();
  if (word == "phase" && peek(1).kind == TokenKind::Name) return take(), phase_item();
  if (word == "fn") return take(), fn_item();
  if (word == "for") return take(), for_item();
  if (word == "if") return take(), if_item();
  if (word == "return") return take(), return_item();
  if (word == "budget") {
    take();
    Item& made = tree_.item(ItemKind::Budget, {});
    made.value = expression();
    return &made;
  }
  if (word == "irplan" && peek(1).kind == TokenKind::Int) {
    take();
    Item& made = tree_.item(ItemKind::Version, {});
    made.version = take().integer;
    return &made;
  }
  if ((word == "import" || word == "while") && peek(1).kind != TokenKind::Punct) {
    fail(Code::E0118, peek().span, {word});
    return &tree_.item(ItemKind::Error, peek().span);
  }
  return nullptr;
}

Item* Parser::let_item() {
  Item& made = tree_.item(ItemKind::Let, {});
  made.name = name("a name after `let`");
  if (!panic_ && expect("=", "`=`")) {
    skip_newlines();
    made.value = expression();
  }
  if (!made.value) made.value = error(peek().span);
  return &made;
}

Item* Parser::require_item() {
  Item& made = tree_.item(ItemKind::Require, {});
  made.value = expression();
  if (!panic_ && take_if(",")) {
    skip_newlines();
    if (peek().kind == TokenKind::String) {
      made.message = string_expression();
    } else {
      fail(Code::E0110, peek().span, {"a message in quotes", found(peek())});
    }
  }
  return &made;
}

Item* Parser::dim_item() {
  Item& made = tree_.item(ItemKind::Dim, {});
  made.name = name("a dim's name");
  if (take_if("[")) {
    made.per = name("the dim that has a value for each row");
    expect("]", "`]`");
  }
  made.value = made.high = nullptr;
  if (!panic_ && !at_word("in")) fail(Code::E0110, peek().span, {"`in`", found(peek())}).rule("dim S in 1..2048");
  if (!panic_) {
    take();
    made.value = expression();
    if (!panic_ && !take_if("..")) fail(Code::E0125, peek().span).rule("dim S in 1..2048");
    if (!panic_) made.high = expression();
  }
  if (!made.value) made.value = error(peek().span);
  if (!made.high) made.high = error(peek().span);
  return &made;
}

Item* Parser::input_item() {
  Item& made = tree_.item(ItemKind::Input, {});
  made.name = name("an input's name");
  if (!panic_ && expect(":", "`:` and a type")) made.type = type();
  return &made;
}

Item* Parser::phase_item() {
  Item& made = tree_.item(ItemKind::Phase, {});
  made.name = name("a phase's name");
  const Token opening = peek();
  if (panic_ || !expect("{", "`{`")) return &made;
  ++brackets_;
  while (!at("}") && peek().kind != TokenKind::End && !panic_) {
    PhaseEntry entry;
    entry.dim = name("a dim's name");
    if (take_if("=")) {
      entry.equals = expression();
    } else if (at_word("in")) {
      take();
      entry.low = expression();
      if (!panic_ && !take_if("..")) fail(Code::E0125, peek().span).rule("phase prefill { S in 1..2048 }");
      if (!panic_) entry.high = expression();
    } else if (!panic_) {
      fail(Code::E0110, peek().span, {"`=` or `in`", found(peek())}).rule("phase decode { S = 1 }");
    }
    if (!panic_) made.entries.push_back(entry);
    take_if(",");
  }
  close("}", opening.span);
  --brackets_;
  return &made;
}

void Parser::distinct(const std::vector<Name>& names) {
  for (size_t i = 0; i < names.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (names[i].symbol != names[j].symbol || panic_) continue;
      diagnostics_.report(Code::E0122, names[i].span, {tree_.text(names[i].symbol)}).also(names[j].span, "first here");
    }
  }
}

Item* Parser::fn_item() {
  Item& made = tree_.item(ItemKind::Fn, {});
  made.name = name("a function's name");
  const Token opening = peek();
  made.body = &tree_.block();
  if (panic_ || !expect("(", "`(`")) return &made;
  ++brackets_;
  std::vector<Name> names;
  while (!at(")") && peek().kind != TokenKind::End && !panic_) {
    Parameter parameter;
    parameter.name = name("a parameter's name");
    if (!panic_ && take_if(":")) parameter.annotation = type();
    if (!panic_ && take_if("=")) parameter.fallback = expression();
    names.push_back(parameter.name);
    made.parameters.push_back(std::move(parameter));
    if (!take_if(",")) break;
  }
  distinct(names);
  close(")", opening.span);
  --brackets_;
  if (!panic_) made.body = block();
  return &made;
}

Item* Parser::for_item() {
  Item& made = tree_.item(ItemKind::For, {});
  made.name = name("a loop's variable");
  made.body = &tree_.block();
  made.value = error(peek().span);
  if (!panic_ && !at_word("in")) fail(Code::E0110, peek().span, {"`in`", found(peek())}).rule("for i in 32 with h { … }");
  if (panic_) return &made;
  take();
  made.value = expression();
  if (!panic_ && at("..")) {
    fail(Code::E0121, peek().span, {found(peek())}).rule("a loop counts rounds: for i in 32 runs i = 0 … 31");
  }
  if (!panic_ && at_word("with")) {
    take();
    do {
      skip_newlines();
      made.carried.push_back(name("a name that the loop hands on"));
    } while (!panic_ && take_if(","));
    distinct(made.carried);
  }
  if (!panic_) made.body = block();
  return &made;
}

Item* Parser::if_item() {
  Item& made = tree_.item(ItemKind::If, {});
  made.value = expression();
  made.body = &tree_.block();
  if (panic_) return &made;
  made.body = block();
  // `else` may begin a line.
  const size_t before = next_;
  const uint32_t end = last_end_;
  skip_newlines();
  if (panic_ || !at_word("else") || peek(1).kind == TokenKind::End) {
    next_ = before;
    last_end_ = end;
    return &made;
  }
  take();
  if (!at_word("if")) {
    made.otherwise = block();
    return &made;
  }
  Block& chain = tree_.block();
  const Token word = take();
  if (!enter(word.span)) return &made;
  Item* inner = if_item();
  --depth_;
  inner->span = since(word.span.begin);
  chain.items.push_back(inner);
  chain.span = inner->span;
  made.otherwise = &chain;
  return &made;
}

Item* Parser::return_item() {
  Item& made = tree_.item(ItemKind::Return, {});
  do {
    if (!made.values.empty()) skip_newlines();
    made.values.push_back(expression());
  } while (!panic_ && take_if(","));
  return &made;
}

Item* Parser::bind_item() {
  Item& made = tree_.item(ItemKind::Bind, {});
  made.value = error(peek().span);
  const Token first = peek();
  if (first.kind != TokenKind::Name) {
    if (first.kind == TokenKind::Punct && first.punct == punct("//")) {
      fail(Code::E0116, first.span).fix("write `#`", first.span, "#");
    } else {
      fail(Code::E0110, first.span, {"a statement", found(first)});
    }
    return &made;
  }
  std::vector<Name> names;
  do {
    if (!names.empty()) skip_newlines();
    Target target;
    target.name = name("a name to bind");
    if (!panic_ && take_if(":")) target.annotation = type();
    names.push_back(target.name);
    made.targets.push_back(std::move(target));
  } while (!panic_ && take_if(","));
  if (panic_) return &made;
  if (!take_if("=")) {
    const std::string word(text(first.span));
    const std::string near = nearest(word, {std::begin(kKeywords), std::end(kKeywords)});
    if (peek().kind == TokenKind::Name) {
      Diagnostic& d = fail(Code::E0119, first.span, {word});
      if (!near.empty()) d.fix("did you mean `" + near + "`", first.span, near);
    } else if (at("(") || at(".") || at("+") || at("*") || at("[")) {
      fail(Code::E0120, first.span).help("bind it: name = " + word + "…");
    } else {
      fail(Code::E0110, peek().span, {"`=`", found(peek())});
    }
    return &made;
  }
  distinct(names);
  skip_newlines();
  made.value = expression();
  return &made;
}

}  // namespace irplan::syntax
