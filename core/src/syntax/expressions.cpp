// Expressions, strings and types.
#include <algorithm>

#include "syntax/parser_impl.h"

namespace irplan::syntax {
namespace {

struct Sign {
  const char* text;
  Operator op;
};

// From the loosest to the tightest; comparisons do not chain.
const std::vector<std::vector<Sign>>& levels() {
  static const std::vector<std::vector<Sign>> kLevels = {
      {{"??", Operator::Coalesce}},
      {{"||", Operator::Or}},
      {{"&&", Operator::And}},
      {{"==", Operator::Eq}, {"!=", Operator::Ne}, {"<=", Operator::Le}, {">=", Operator::Ge}, {"<", Operator::Lt}, {">", Operator::Gt}},
      {{"+", Operator::Add}, {"-", Operator::Sub}},
      {{"*", Operator::Mul}, {"//", Operator::FloorDiv}, {"/", Operator::Div}, {"%", Operator::Mod}},
  };
  return kLevels;
}
constexpr int kComparisons = 3;
constexpr int kLevelCount = 6;

}  // namespace

const Expr* Parser::whole_expression() {
  skip_newlines();
  const Expr* e = expression();
  skip_newlines();
  if (!panic_ && peek().kind != TokenKind::End) {
    word_operator();
    if (!panic_) fail(Code::E0121, peek().span, {found(peek())});
  }
  return e;
}

// `and`, `or` and `not` of other languages.
void Parser::word_operator() {
  constexpr std::pair<const char*, const char*> kWords[] = {{"and", "&&"}, {"or", "||"}, {"not", "!"}, {"is", "=="}};
  for (const auto& [word, sign] : kWords) {
    if (!at_word(word)) continue;
    const Span span = peek().span;
    fail(Code::E0113, span, {word}).fix("write `" + std::string(sign) + "`", span, sign);
    return;
  }
}

Expr* Parser::expression() {
  const uint32_t begin = peek().span.begin;
  if (!enter(peek().span)) return error(peek().span);
  Expr* condition = binary(0);
  if (panic_ || !take_if("?")) return --depth_, condition;
  if (brackets_ == 0) skip_newlines();
  Expr* yes = expression();
  if (!panic_ && peek().kind == TokenKind::Newline) {
    // A `:` may begin the next line only inside brackets.
    fail(Code::E0110, peek().span, {"`:`", found(peek())});
  }
  if (!panic_) expect(":", "`:`");
  if (panic_) return --depth_, error({begin, last_end_});
  if (brackets_ == 0) skip_newlines();
  Expr* no = expression();
  Expr& e = tree_.expr(ExprKind::Ternary, since(begin));
  e.a = condition;
  e.b = yes;
  e.c = no;
  --depth_;
  return &e;
}

Expr* Parser::binary(int level) {
  if (level == kLevelCount) return unary();
  const uint32_t begin = peek().span.begin;
  Expr* left = binary(level + 1);
  int chained = 0;
  while (!panic_) {
    const Token& token = peek();
    if (token.kind != TokenKind::Punct) return left;
    const auto& signs = levels()[static_cast<size_t>(level)];
    const auto sign = std::find_if(signs.begin(), signs.end(), [&](const Sign& s) { return token.punct == punct(s.text); });
    if (sign == signs.end()) return left;
    const Span sign_span = token.span;
    if (level == kComparisons && chained++ > 0) {
      fail(Code::E0114, sign_span).help("join two comparisons: a <= b && b <= c");
      return left;
    }
    take();
    if (brackets_ == 0) skip_newlines();
    Expr* right = binary(level + 1);
    Expr& e = tree_.expr(ExprKind::Binary, since(begin));
    e.op = sign->op;
    e.operator_span = sign_span;
    e.a = left;
    e.b = right;
    left = &e;
  }
  return left;
}

Expr* Parser::unary() {
  const Token first = peek();
  const bool minus = at("-");
  if (!minus && !at("!")) return postfix();
  take();
  Expr* operand = postfix();
  Expr& e = tree_.expr(ExprKind::Unary, since(first.span.begin));
  e.op = minus ? Operator::Neg : Operator::Not;
  e.operator_span = first.span;
  e.a = operand;
  return &e;
}

Expr* Parser::postfix() {
  const uint32_t begin = peek().span.begin;
  Expr* e = primary();
  int chain = 0;
  while (!panic_) {
    if (++chain > kMaxNesting) {
      enter({begin, last_end_}), fail(Code::E0108, {begin, last_end_}, {std::to_string(kMaxNesting)});
      return e;
    }
    if (take_if(".")) {
      const Name field = name("a field's name");
      Expr& next = tree_.expr(ExprKind::Field, since(begin));
      next.a = e;
      next.name = field;
      next.operator_span = field.span;
      e = &next;
    } else if (at("[")) {
      const Span opening = take().span;
      ++brackets_;
      Expr* inside = expression();
      close("]", opening);
      --brackets_;
      Expr& next = tree_.expr(ExprKind::Index, since(begin));
      next.a = e;
      next.b = inside;
      e = &next;
    } else {
      return e;
    }
  }
  return e;
}

Expr* Parser::primary() {
  const Token token = peek();
  switch (token.kind) {
    case TokenKind::Int:
    case TokenKind::Float: {
      take();
      Expr& e = tree_.expr(token.kind == TokenKind::Int ? ExprKind::Int : ExprKind::Float, token.span);
      e.integer = token.integer;
      e.number = token.number;
      return &e;
    }
    case TokenKind::String: return string_expression();
    case TokenKind::Name: {
      const std::string_view word = text(token.span);
      if (word == "not") {
        word_operator();
        return error(token.span);
      }
      take();
      if (word == "true" || word == "false") {
        Expr& e = tree_.expr(ExprKind::Bool, token.span);
        e.boolean = word == "true";
        return &e;
      }
      if (word == "none") return &tree_.expr(ExprKind::None, token.span);
      // `param` and `state` are names unless a type follows.
      if ((word == "param" || word == "state") && peek().kind == TokenKind::Name && !at_word("and") && !at_word("or") && !at_word("with")) {
        return leaf(word == "param" ? ExprKind::Param : ExprKind::State, token);
      }
      const Name called{tree_.intern(word), token.span};
      if (at("(")) return call(called, token.span.begin);
      Expr& e = tree_.expr(ExprKind::Name, token.span);
      e.name = called;
      return &e;
    }
    case TokenKind::Punct:
      if (token.punct == punct("(")) return group();
      if (token.punct == punct("[")) return list();
      if (token.punct == punct("{")) return record();
      break;
    default: break;
  }
  fail(Code::E0112, token.span, {found(token)});
  return error(token.span);
}

Expr* Parser::group() {
  const Span opening = take().span;
  ++brackets_;
  Expr* e = expression();
  close(")", opening);
  --brackets_;
  e->parenthesised = true;
  return e;
}

Expr* Parser::list() {
  const Span opening = take().span;
  if (!enter(opening)) return error(opening);
  ++brackets_;
  std::vector<const Expr*> items;
  while (!at("]") && peek().kind != TokenKind::End && !panic_) {
    items.push_back(expression());
    if (!take_if(",")) break;
  }
  close("]", opening);
  --brackets_;
  --depth_;
  Expr& e = tree_.expr(ExprKind::List, since(opening.begin));
  e.items = std::move(items);
  return &e;
}

Expr* Parser::record() {
  const Span opening = take().span;
  if (!enter(opening)) return error(opening);
  ++brackets_;
  std::vector<Entry> entries;
  while (!at("}") && peek().kind != TokenKind::End && !panic_) {
    Entry entry;
    entry.name = name("a key");
    if (!panic_ && expect(":", "`:`")) entry.value = expression();
    if (!panic_) entries.push_back(entry);
    take_if(",");
  }
  close("}", opening);
  --brackets_;
  --depth_;
  Expr& e = tree_.expr(ExprKind::Record, since(opening.begin));
  e.entries = std::move(entries);
  return &e;
}

Expr* Parser::call(const Name& called, uint32_t begin) {
  const Span opening = take().span;
  ++brackets_;
  std::vector<Arg> args;
  while (!at(")") && peek().kind != TokenKind::End && !panic_) {
    Arg arg;
    const Token& second = peek(1);
    if (peek().kind == TokenKind::Name && second.kind == TokenKind::Punct && second.punct == punct("=")) {
      arg.name = name("an argument's name");
      take();
    }
    arg.value = expression();
    args.push_back(std::move(arg));
    if (!take_if(",")) break;
  }
  if (!panic_ && at("=")) fail(Code::E0115, peek().span).fix("compare with `==`", peek().span, "==");
  close(")", opening);
  --brackets_;
  Expr& e = tree_.expr(ExprKind::Call, since(begin));
  e.name = called;
  e.operator_span = called.span;
  e.args = std::move(args);
  return &e;
}

// ("param" | "state") type [ "from" STRING ]
Expr* Parser::leaf(ExprKind kind, const Token& word) {
  Type declared = type();
  std::vector<StringPart> parts;
  bool from = false;
  if (!panic_ && at_word("from")) {
    take();
    from = true;
    if (peek().kind == TokenKind::String) {
      parts = string_parts(take(), true);
    } else {
      fail(Code::E0110, peek().span, {"a name in quotes", found(peek())});
    }
  }
  Expr& e = tree_.expr(kind, since(word.span.begin));
  e.type = std::move(declared);
  e.has_from = from;
  e.parts = std::move(parts);
  return &e;
}

Type Parser::type() {
  Type out;
  const uint32_t begin = peek().span.begin;
  out.dtype.push_back(name("a dtype"));
  while (!panic_ && take_if(".")) out.dtype.push_back(name("a field's name"));
  const Span opening = peek().span;
  if (panic_ || !expect("[", "`[` and the extents")) return out;
  ++brackets_;
  while (!at("]") && peek().kind != TokenKind::End && !panic_) {
    out.extents.push_back(expression());
    if (!take_if(",")) break;
  }
  close("]", opening);
  --brackets_;
  out.span = since(begin);
  return out;
}

Expr* Parser::string_expression() {
  const Token token = take();
  Expr& e = tree_.expr(ExprKind::String, token.span);
  e.parts = string_parts(token, true);
  return &e;
}

// Text with escapes, `{expr}`, and `{*}`; where a star may stand is the elaborator's question.
std::vector<StringPart> Parser::string_parts(const Token& token, bool star) {
  std::vector<StringPart> parts;
  const std::string& all = source_.text();
  uint32_t at = token.span.begin + 1;
  const uint32_t end = token.span.end - 1;
  StringPart piece;
  piece.span.begin = at;
  const auto flush = [&](uint32_t upto) {
    piece.span.end = upto;
    if (!piece.text.empty()) parts.push_back(piece);
    piece = StringPart();
  };
  while (at < end) {
    const char c = all[at];
    if (c == '\\' && at + 1 < end) {
      const char escaped = all[at + 1];
      if (escaped == 'n') {
        piece.text += '\n';
      } else if (escaped == '"' || escaped == '\\' || escaped == '{') {
        piece.text += escaped;
      } else {
        diagnostics_.report(Code::E0103, {at, at + 2}, {std::string_view(&escaped, 1)}).rule("escapes are \\\" \\\\ \\n and \\{");
      }
      at += 2;
    } else if (c == '{') {
      flush(at);
      if (star && all.compare(at, 3, "{*}") == 0) {
        StringPart whole;
        whole.kind = StringPart::Kind::Star;
        whole.span = {at, at + 3};
        parts.push_back(whole);
        at += 3;
      } else {
        // To the partner, over strings and nested braces.
        uint32_t close = at + 1;
        int braces = 1;
        bool quoted = false;
        for (; close < end; ++close) {
          if (all[close] == '"') quoted = !quoted;
          if (quoted) continue;
          if (all[close] == '{') ++braces;
          if (all[close] == '}' && --braces == 0) break;
        }
        StringPart whole;
        whole.kind = StringPart::Kind::Expr;
        whole.span = {at, std::min(close + 1, end)};
        if (close >= end) {
          diagnostics_.report(Code::E0111, {at, at + 1}, {"{"}).help("a brace as text is written \\{");
        } else if (all.find_first_not_of(" \t", at + 1) == close) {
          diagnostics_.report(Code::E0124, whole.span);
        } else if (enter(whole.span)) {
          whole.expr = Parser(tree_, source_, {at + 1, close}, diagnostics_, depth_).whole_expression();
          --depth_;
          parts.push_back(whole);
        }
        at = close + 1;
      }
      piece.span.begin = at;
    } else {
      piece.text += c;
      ++at;
    }
  }
  flush(end);
  return parts;
}

}  // namespace irplan::syntax
