// Expressions, strings and types.
#include <algorithm>

#include "syntax/parser_impl.h"

namespace irplan::syntax {
namespace {

constexpr int kComparison = 4;  // how tightly comparisons bind; they do not chain
constexpr int kUnchecked = 1;   // the loosest

}  // namespace

const Expr* Parser::whole_expression() {
  skip_newlines();
  const Expr* e = expression();
  skip_newlines();
  if (!panic_ && peek().kind != TokenKind::End) {
    word_operator();
    if (!panic_) fail(Code::ExpectedEndOfLine, peek().span, {found(peek())});
  }
  return e;
}

// `and`, `or` and `not` of other languages.
void Parser::word_operator() {
  constexpr std::pair<const char*, const char*> kWords[] = {
      {"and", "&&"}, {"or", "||"}, {"not", "!"}, {"is", "=="}};
  for (const auto& [word, sign] : kWords) {
    if (!at_word(word)) continue;
    const Span span = peek().span;
    warn(Code::UnknownSign, span, {word}).fix("write `" + std::string(sign) + "`", span, sign);
    return;
  }
}

int Parser::binary_operator(Operator& op) {
  const Token& token = peek();
  if (token.kind == TokenKind::Name) {
    const std::string_view word = text(token.span);
    const uint16_t next = peek(1).punct;
    if (next == punct("=") || next == punct(":")) return 0;  // a name of its own: {a: 1 or: 2}
    if (word == "and") return op = Operator::And, 3;
    if (word == "or") return op = Operator::Or, 2;
    if (word == "is") return op = Operator::Eq, kComparison;
    return 0;
  }
  if (token.kind != TokenKind::Punct) return 0;
  switch (token.punct) {
    case punct("??"): return op = Operator::Coalesce, 1;
    case punct("||"): return op = Operator::Or, 2;
    case punct("&&"): return op = Operator::And, 3;
    case punct("=="): return op = Operator::Eq, kComparison;
    case punct("!="): return op = Operator::Ne, kComparison;
    case punct("<="): return op = Operator::Le, kComparison;
    case punct(">="): return op = Operator::Ge, kComparison;
    case punct("<"): return op = Operator::Lt, kComparison;
    case punct(">"): return op = Operator::Gt, kComparison;
    case punct("+"): return op = Operator::Add, 5;
    case punct("-"): return op = Operator::Sub, 5;
    case punct("*"): return op = Operator::Mul, 6;
    case punct("/"): return op = Operator::Div, 6;
    case punct("//"): return op = Operator::FloorDiv, 6;
    case punct("%"): return op = Operator::Mod, 6;
    default: return 0;
  }
}

Expr* Parser::checked(Expr& e) {
  int below = 0;
  const auto look = [&](const Expr* part) {
    if (part) below = std::max<int>(below, part->depth);
  };
  for (const Expr* part : {e.a, e.b, e.c}) look(part);
  for (const Expr* item : e.items) look(item);
  for (const Arg& arg : e.args) look(arg.value);
  for (const Entry& entry : e.entries) look(entry.value);
  for (const Expr* extent : e.type.extents) look(extent);
  for (const StringPart& part : e.parts) look(part.expr);
  e.depth = static_cast<uint16_t>(below + 1);
  if (e.depth <= kMaxTreeDepth || stopped_) return &e;
  diagnostics_.report(Code::NestedTooDeep, e.operator_span.end ? e.operator_span : e.span,
                      {std::to_string(kMaxTreeDepth)});
  stop();
  return error(e.span);  // what was read of it would be looked up
}

Expr* Parser::expression() {
  const uint32_t begin = peek().span.begin;
  if (!enter(peek().span)) return error(peek().span);
  Expr* condition = binary(kUnchecked);
  if (panic_ || !take_if("?")) return --depth_, condition;
  if (brackets_ == 0) skip_newlines();
  Expr* yes = expression();
  if (!panic_ && !at(":")) {
    const Span question = {condition->span.end, condition->span.end};
    fail(Code::ExpectedColonOfChoice, peek().span, {found(peek())})
        .also({question.begin, peek().span.begin}, "the choice begins here")
        .rule("condition ? value : other");
  }
  Expr* no = nullptr;
  if (!panic_) {
    take();
    if (brackets_ == 0) skip_newlines();
    no = expression();
  }
  Expr& e = tree_.expr(no ? ExprKind::Ternary : ExprKind::Error, since(begin));
  e.a = condition;
  e.b = yes;
  e.c = no;
  --depth_;
  return checked(e);
}

// Operators that bind at least so tightly.
Expr* Parser::binary(int tightness) {
  const uint32_t begin = peek().span.begin;
  Expr* left = unary();
  bool compared = false;
  Operator op{};
  while (!panic_) {
    const int binds = binary_operator(op);
    if (binds < tightness || binds == 0) return left;
    if (peek().kind == TokenKind::Name) word_operator();
    const bool chained = binds == kComparison && compared;
    if (chained) chained_comparison();
    compared = binds == kComparison;
    const Span sign = take().span;
    if (brackets_ == 0) skip_newlines();
    if (op == Operator::Mul && at("*") && peek().span.begin == sign.end) {
      fail(Code::UnknownSign, {sign.begin, peek().span.end}, {"**"})
          .help("there is no power operator: x * x");
    } else if (at("=") && peek().span.begin == sign.end && binds > kComparison) {
      const std::string both(text({sign.begin, peek().span.end}));
      const std::string target(text({begin, left->span.end}));
      fail(Code::CompoundAssignment, {sign.begin, peek().span.end}, {both})
          .help("bind another name: " + target + "2 = " + target + " " + spelling(op) + " …");
    }
    Expr* right = panic_ ? error(sign) : binary(binds + 1);
    Expr& e = tree_.expr(ExprKind::Binary, since(begin));
    e.op = op;
    e.operator_span = sign;
    e.a = left;
    e.b = right;
    left = chained ? error(e.span) : checked(e);
  }
  return left;
}

void Parser::chained_comparison() {
  warn(Code::ChainedComparison, peek().span).help("join two comparisons: a <= b && b <= c");
}

Expr* Parser::unary() {
  const Token first = peek();
  const bool minus = at("-");
  if (!minus && !at("!")) return postfix();
  take();
  if (brackets_ == 0) skip_newlines();
  if (at("-") || at("!"))
    fail(Code::TwoSigns, {first.span.begin, peek().span.end})
        .rule("a value takes one sign; more need brackets: -(-x)");
  Expr* operand = panic_ ? error(first.span) : postfix();
  Expr& e = tree_.expr(ExprKind::Unary, since(first.span.begin));
  e.op = minus ? Operator::Neg : Operator::Not;
  e.operator_span = first.span;
  e.a = operand;
  return checked(e);
}

Expr* Parser::postfix() {
  const uint32_t begin = peek().span.begin;
  Expr* e = primary();
  while (!panic_) {
    if (take_if(".")) {
      const Name field = name("a field's name");
      Expr& next = tree_.expr(ExprKind::Field, since(begin));
      next.a = e;
      next.name = field;
      next.operator_span = field.span;
      e = checked(next);
    } else if (at("[")) {
      const Span opening = take().span;
      ++brackets_;
      Expr* inside = expression();
      close("]", opening);
      --brackets_;
      Expr& next = tree_.expr(ExprKind::Index, since(begin));
      next.a = e;
      next.b = inside;
      e = checked(next);
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
      if (keyword_in_expression()) return error(token.span);
      take();
      if (word == "true" || word == "false") {
        Expr& e = tree_.expr(ExprKind::Bool, token.span);
        e.boolean = word == "true";
        return &e;
      }
      if (word == "none") return &tree_.expr(ExprKind::None, token.span);
      if (word == "not" && begins_value()) {
        --next_;
        word_operator();
        take();
        return primary();
      }
      if ((word == "param" || word == "state") && begins_leaf()) {
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
  if (token.punct == punct(".") && peek(1).kind == TokenKind::Int && peek(1).span.begin == token.span.end) {
    fail(Code::NotANumber, {token.span.begin, peek(1).span.end}, {text({token.span.begin, peek(1).span.end})})
        .fix("a number has digits on both sides of its point", {token.span.begin, token.span.begin}, "0");
  } else {
    fail(Code::ExpectedExpression, token.span, {found(token)});
  }
  return error(token.span);
}

// Whether a value may begin here: what tells the word `not` from a name.
bool Parser::begins_value() {
  const Token& token = peek();
  if (token.kind == TokenKind::Name)
    return !at_word("and") && !at_word("or") && !at_word("with") && !at_word("else");
  return token.kind == TokenKind::Int || token.kind == TokenKind::Float || token.kind == TokenKind::String;
}

// `param` and `state` are names unless a type follows.
bool Parser::begins_leaf() {
  const Token& dtype = peek();
  if (dtype.kind == TokenKind::Punct && dtype.punct == punct("[")) {
    // `state[B, C]` is an index of something called so, `param[D] from` a type without its dtype: name() will
    // say so.
    size_t i = next_;
    for (int open = 0; tokens_[i].kind != TokenKind::End && tokens_[i].kind != TokenKind::Newline; ++i) {
      if (tokens_[i].kind != TokenKind::Punct) continue;
      if (tokens_[i].punct == punct("[")) ++open;
      if (tokens_[i].punct == punct("]") && --open == 0) break;
    }
    const Token& after = tokens_[std::min(i + 1, tokens_.size() - 1)];
    return after.kind == TokenKind::Name && text(after.span) == "from";
  }
  if (dtype.kind != TokenKind::Name) return false;
  const Token& next = peek(1);
  if (next.kind == TokenKind::Punct && (next.punct == punct("[") || next.punct == punct("."))) return true;
  constexpr const char* kAfterValues[] = {"and", "or", "is", "with", "else", "in"};
  const std::string_view word = text(dtype.span);
  return std::none_of(std::begin(kAfterValues), std::end(kAfterValues),
                      [&](const char* other) { return word == other; });
}

// A statement's keyword where a value is expected; true where that was reported.
bool Parser::keyword_in_expression() {
  const Token& next = peek(1);
  const bool value =
      next.kind == TokenKind::Name || next.kind == TokenKind::Int || next.kind == TokenKind::String;
  if (at_word("if") && (value || next.punct == punct("!"))) {
    fail(Code::IfAsValue, peek().span).help("choose a value with condition ? value : other");
    return true;
  }
  // `x =` with nothing behind it must not take the next line for its value.
  const bool new_line = brackets_ == 0 && next_ > 0 && tokens_[next_ - 1].kind == TokenKind::Newline;
  if (brackets_ > 0 && next.kind == TokenKind::Name && is_keyword(text(peek().span)) &&
      begins_line(next_token())) {
    fail(Code::ExpectedExpression, peek().span, {found(peek())});
    return true;
  }
  if (!new_line || panic_) return false;
  const bool statement =
      next.kind == TokenKind::Punct ? next.punct == punct("=") : value && is_keyword(text(peek().span));
  if (!statement) return false;
  size_t i = next_;
  while (i > 0 && tokens_[i - 1].kind == TokenKind::Newline) --i;
  const Span end = tokens_[i].span;
  next_ = i;
  fail(Code::ExpectedExpression, end, {found(tokens_[i])});
  return true;
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
    trailing_comma("]");
  }
  close("]", opening);
  --brackets_;
  --depth_;
  Expr& e = tree_.expr(ExprKind::List, since(opening.begin));
  e.items = std::move(items);
  return checked(e);
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
    if (entry.value) entries.push_back(entry);
    take_if(",");
  }
  close("}", opening);
  --brackets_;
  --depth_;
  Expr& e = tree_.expr(ExprKind::Record, since(opening.begin));
  e.entries = std::move(entries);
  return checked(e);
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
    args.push_back(arg);
    if (!panic_ && at("="))
      fail(Code::AssignmentAsComparison, peek().span).fix("compare with `==`", peek().span, "==");
    if (!take_if(",")) break;
    trailing_comma(")");
  }
  close(")", opening);
  --brackets_;
  Expr& e = tree_.expr(ExprKind::Call, since(begin));
  e.name = called;
  e.operator_span = called.span;
  e.args = std::move(args);
  return checked(e);
}

void Parser::trailing_comma(const char* sign) {
  if (panic_ || !at(sign)) return;
  const Span comma = {last_end_ - 1, last_end_};
  warn(Code::TrailingComma, comma)
      .rule(std::string("the last one before `") + sign + "` has no comma behind it")
      .fix("remove it", comma, "");
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
      fail(Code::Expected, peek().span, {"a name in quotes", found(peek())});
    }
  }
  Expr& e = tree_.expr(kind, since(word.span.begin));
  e.type = std::move(declared);
  e.has_from = from;
  e.parts = std::move(parts);
  return checked(e);
}

Type Parser::type() {
  Type out;
  const uint32_t begin = peek().span.begin;
  if (at("[")) {
    fail(Code::TypeWithoutDtype, peek().span).help("a tensor of half-precision numbers: f16[1, S, D]");
    return out;
  }
  out.dtype.push_back(name("a dtype"));
  while (!panic_ && take_if(".")) out.dtype.push_back(name("a field's name"));
  const Span opening = peek().span;
  if (!panic_ && !at("[")) {
    const Span dtype = since(begin);
    fail(Code::TypeWithoutExtents, dtype, {text(dtype)})
        .help("a single number is " + std::string(text(dtype)) + "[]");
  }
  if (panic_) return out;
  take();
  ++brackets_;
  while (!at("]") && peek().kind != TokenKind::End && !panic_) {
    out.extents.push_back(expression());
    if (!take_if(",")) break;
    trailing_comma("]");
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
  return checked(e);
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
        diagnostics_.report(Code::UnknownEscape, {at, at + 2}, {std::string_view(&escaped, 1)})
            .rule("escapes are \\\" \\\\ \\n and \\{");
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
        const size_t partner = closing_of(all, at + 1, end, false);
        const uint32_t close = partner == std::string::npos ? end : static_cast<uint32_t>(partner);
        StringPart whole;
        whole.kind = StringPart::Kind::Expr;
        whole.span = {at, close + 1};
        if (all.find_first_not_of(" \t", at + 1) == close) {
          diagnostics_.report(Code::EmptyInterpolation, whole.span);
        } else if (enter(whole.span)) {
          Parser inner(tree_, source_, {at + 1, close}, diagnostics_, depth_);
          whole.expr = inner.whole_expression();
          --depth_;
          if (inner.stopped_) stop();
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
