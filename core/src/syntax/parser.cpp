// Items and statements; tokens and recovery.
#include "syntax/parser.h"

#include <algorithm>

#include "base/sort.h"
#include "syntax/parser_impl.h"
#include "syntax/words.h"

namespace irplan::syntax {
namespace {

// Of what begins an item.
const std::vector<std::string>& keywords() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (const Word& word : words()) {
      if (word.role == WordRole::Item || word.role == WordRole::Statement) names.emplace_back(word.text);
    }
    return names;
  }();
  return all;
}

bool is_top_level(std::string_view text) {
  const Word* word = find_word(text);
  return word && word->role == WordRole::Item;
}

}  // namespace

bool is_keyword(std::string_view text) {
  const Word* word = find_word(text);
  return word && (word->role == WordRole::Item || word->role == WordRole::Statement);
}

Tree parse(const SourceText& source, Diagnostics& diagnostics) {
  Tree tree;
  if (source.text().size() > kMaxSourceBytes) {
    diagnostics.report(Code::SourceTooLarge, {},
                       {std::to_string(source.text().size()), std::to_string(kMaxSourceBytes)});
    return tree;
  }
  Parser parser(tree, source, {0, static_cast<uint32_t>(source.text().size())}, diagnostics);
  parser.program();
  tree.tokens = parser.take_tokens();
  return tree;
}

const Expr* parse_expression(Tree& tree, const SourceText& source, Diagnostics& diagnostics) {
  const Span all = {0, static_cast<uint32_t>(source.text().size())};
  if (source.text().size() > kMaxSourceBytes) {
    diagnostics.report(Code::SourceTooLarge, {},
                       {std::to_string(source.text().size()), std::to_string(kMaxSourceBytes)});
    return nullptr;
  }
  Diagnostics own;
  const Expr* e = Parser(tree, source, all, own).whole_expression();
  if (!own.has_errors()) return e;
  Parser(tree, source, all, diagnostics).whole_expression();
  return nullptr;
}

Parser::Parser(Tree& tree, const SourceText& source, Span part, Diagnostics& diagnostics, int depth)
    : tree_(tree),
      source_(source),
      diagnostics_(diagnostics),
      tokens_(lex(source, part, diagnostics)),
      depth_(depth) {}

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
  fail(Code::Expected, peek().span, {what, found(peek())});
  return false;
}

bool Parser::close(const char* sign, Span opening) {
  if (take_if(sign)) return true;
  if (panic_) return false;
  const Token& token = peek();
  const bool closer = token.punct == punct(")") || token.punct == punct("]") || token.punct == punct("}");
  const std::string wanted = "`" + std::string(sign) + "`";
  if (token.kind == TokenKind::End || (begins_line(next_token()) && !closer)) {
    fail(Code::NotClosed, opening, {text(opening)})
        .also({last_end_, last_end_}, "expected " + wanted + " here at the latest");
  } else {
    fail(Code::Expected, token.span, {sign[0] == '}' || closer ? wanted : "`,` or " + wanted, found(token)})
        .also(opening, "opened here");
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

Diagnostic& Parser::add_warning(Code code, Span span, std::span<const std::string_view> arguments) {
  static thread_local Diagnostic ignored{};
  if (panic_) return ignored = Diagnostic{}, ignored;
  return diagnostics_.add(code, span, arguments);
}

Diagnostic& Parser::add_failure(Code code, Span span, std::span<const std::string_view> arguments) {
  static thread_local Diagnostic ignored{};
  const bool told = panic_ || peek().kind == TokenKind::Bad;  // a bad token was reported by the lexer
  panic_ = true;
  if (told) return ignored = Diagnostic{}, ignored;
  return diagnostics_.add(code, span, arguments);
}

Name Parser::name(const char* what) {
  const Token& token = peek();
  if (token.kind != TokenKind::Name) {
    fail(Code::Expected, token.span, {what, found(token)});
    return {tree_.intern(""), token.span};
  }
  take();
  return {tree_.intern(text(token.span)), token.span};
}

void Parser::stop() {
  stopped_ = panic_ = true;
  next_ = tokens_.size() - 1;
}

bool Parser::enter(Span span) {
  if (depth_ < kMaxNesting) return ++depth_, true;
  if (!stopped_) diagnostics_.report(Code::NestedTooDeep, span, {std::to_string(kMaxNesting)});
  stop();
  return false;
}

Expr* Parser::error(Span span) { return &tree_.expr(ExprKind::Error, span); }

// The token that peek() shows.
size_t Parser::next_token() const {
  size_t i = next_;
  while (brackets_ > 0 && tokens_[i].kind == TokenKind::Newline) ++i;
  return i;
}

bool Parser::begins_line(size_t token) const {
  return token == 0 ||
         (tokens_[token - 1].kind == TokenKind::Newline && text(tokens_[token - 1].span) == "\n");
}

// Blanks before the first word of a line; of other tokens, more than any line has.
uint32_t Parser::column_of(size_t token) const {
  if (!begins_line(token)) return UINT32_MAX;
  const uint32_t line = token == 0 ? 0 : tokens_[token - 1].span.end;
  return tokens_[token].span.begin - line;
}

// To the statement's end: the next newline outside of brackets, the block's end, or a line that is indented
// no further than the statement, for then the bracket is what is missing.
void Parser::recover() {
  if (stopped_) return;  // nothing follows that would be read
  brackets_ = 0;
  back_to_next_statement();
  int open = 0;
  const auto count = [&](const Token& token) {
    if (token.punct == punct("(") || token.punct == punct("[") || token.punct == punct("{")) ++open;
    if (token.punct == punct(")") || token.punct == punct("]") || token.punct == punct("}"))
      open = std::max(0, open - 1);
  };
  for (size_t i = statement_; i < next_; ++i) count(tokens_[i]);
  const uint32_t column = column_of(statement_);
  for (; tokens_[next_].kind != TokenKind::End; ++next_) {
    const Token& token = tokens_[next_];
    const bool closer = token.punct == punct(")") || token.punct == punct("]") || token.punct == punct("}");
    if (token.kind == TokenKind::Newline && open == 0) break;
    if (token.punct == punct("}") && open == 0) break;
    if (next_ > statement_ && !closer && column != UINT32_MAX && column_of(next_) <= column) break;
    count(token);
  }
  panic_ = false;
}

// What stands in an open bracket and begins a line no further to the right than its statement was read as
// arguments, and is more likely the next statement: `y = f(x,` above `z = g(x)`.
void Parser::back_to_next_statement() {
  const uint32_t column = column_of(statement_);
  if (column == UINT32_MAX) return;
  std::vector<size_t> openings;  // that are not closed
  for (size_t i = statement_; i < next_; ++i) {
    const uint16_t sign = tokens_[i].punct;
    const bool after_sign = i > 0 && tokens_[i - 1].kind == TokenKind::Punct &&
                            tokens_[i - 1].punct != punct(")") && tokens_[i - 1].punct != punct("]");
    const bool record = sign == punct("{") && after_sign;  // the brace of a block stands behind a value
    if (sign == punct("(") || sign == punct("[") || record) openings.push_back(i);
    const bool closer = sign == punct(")") || sign == punct("]") || sign == punct("}");
    if (closer && !openings.empty()) openings.pop_back();
  }
  if (openings.empty()) return;
  for (size_t i = openings.front() + 1; i < next_; ++i) {
    if (tokens_[i].kind != TokenKind::Name || column_of(i) > column) continue;
    next_ = i;
    return;
  }
}

// After an error in the head of a `fn`, `for` or `if`: goes on at the block that its line opens, if it opens
// one.
bool Parser::resume_at_block() {
  if (stopped_) return false;
  size_t i = next_;
  while (tokens_[i].kind != TokenKind::Newline && tokens_[i].kind != TokenKind::End) ++i;
  if (i == 0 || i == next_ || tokens_[i - 1].punct != punct("{")) return false;
  next_ = i - 1;
  panic_ = false;
  brackets_ = 0;
  return true;
}

// ------------------------------------------------------------------------------------------------ items

void Parser::program() {
  skip_newlines();
  while (peek().kind != TokenKind::End && !stopped_) {
    const size_t before = next_;
    if (at("}")) {
      fail(Code::Unmatched, peek().span, {"}"});
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
  const Token& token = peek();
  const bool ends = token.kind == TokenKind::Newline || token.kind == TokenKind::End || (!top && at("}"));
  if (!panic_ && !ends) {
    if (at("=")) {
      fail(Code::AssignmentAsComparison, token.span).fix("compare with `==`", token.span, "==");
    } else if (at("..")) {
      fail(Code::RangeForm, token.span).rule("dim S in 1..2048");
    } else if (at("}") || at(")") || at("]")) {
      fail(Code::Unmatched, token.span, {text(token.span)});
      ++next_;
    } else {
      Diagnostic& d = fail(Code::ExpectedEndOfLine, token.span, {found(token)})
                          .rule("a statement ends with its line, or with `;`");
      for (size_t i = statement_; i < next_; ++i) {
        if (tokens_[i].punct == punct("//")) d.fix("comments start with `#`", tokens_[i].span, "#");
      }
      for (const char* unit : {"B", "KB", "KiB", "MB", "MiB", "GB", "GiB", "TB", "TiB"}) {
        if (next_ == statement_ || tokens_[next_ - 1].kind != TokenKind::Int || !at_word(unit)) continue;
        const std::string size = std::string(text(tokens_[next_ - 1].span)) + unit;
        d.fix("write `" + size + "`", {tokens_[next_ - 1].span.begin, token.span.end}, size);
      }
      if (at_word("if")) d.help("choose a value with condition ? value : other");
      if (peek(1).kind == TokenKind::String && nearest(text(token.span), {"from"}) == "from")
        d.fix("did you mean `from`", token.span, "from");
    }
  }
  if (panic_) recover();
  if (diagnostics_.errors() >= Diagnostics::kMaxKept && !stopped_) stop();  // nobody reads more
}

const Block* Parser::block(const char* owner) {
  Block& block = tree_.block();
  const int outer = brackets_;
  const size_t outer_statement = statement_;
  brackets_ = 0;
  if (peek().kind == TokenKind::Newline) {
    const size_t line_end = next_;
    skip_newlines();
    if (at("{")) {
      warn(Code::BraceOnNextLine, peek().span, {owner});
    } else {
      next_ = line_end;
    }
  }
  const Token opening = peek();
  block.span = {last_end_, last_end_};
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
  statement_ = outer_statement;
  close("}", opening.span);
  brackets_ = outer;
  block.span = since(opening.span.begin);
  return &block;
}

// Whether the item is a binding whatever its first word: `let = 3`, `budget: f16[4] = x`, `input, y =
// split(…)`.
bool Parser::begins_binding() {
  const Token& second = peek(1);
  if (second.kind != TokenKind::Punct) return false;
  return second.punct == punct("=") || second.punct == punct(",") || second.punct == punct(":");
}

Item* Parser::item(bool top) {
  statement_ = next_;
  const Token first = peek();
  const uint32_t begin = first.span.begin;
  Item* made = nullptr;
  if (first.kind == TokenKind::Name && !begins_binding())
    made = keyword_item(std::string(text(first.span)), top);
  if (!made) made = bind_item();
  made->span = since(begin);
  if (panic_) forget(*made);
  return made;
}

// What was read of a statement with an error in it says nothing: a value that stands for any.
void Parser::forget(Item& item) {
  Item& read = tree_.item(item.kind, item.span);
  read = item;
  if (!item.as_read) item.as_read = &read;
  if (item.kind == ItemKind::Bind || item.kind == ItemKind::Let) item.value = error(item.span);
  if (item.kind == ItemKind::Require || item.kind == ItemKind::Budget) item.kind = ItemKind::Error;
}

// Keywords of other languages.
const char* Parser::translated(std::string_view word) {
  constexpr std::pair<const char*, const char*> kWords[] = {{"def", "fn"},      {"func", "fn"},
                                                            {"function", "fn"}, {"const", "let"},
                                                            {"var", "let"},     {"assert", "require"}};
  for (const auto& [foreign, ours] : kWords) {
    if (word == foreign) return ours;
  }
  return nullptr;
}

// An item by its keyword; null where the word is none.
Item* Parser::keyword_item(const std::string& word, bool top) {
  const Token& second = peek(1);
  const bool named = second.kind == TokenKind::Name;
  if (!top && is_top_level(word) && (named || word == "budget" || word == "fn")) {
    warn(Code::OnlyAtTopLevel, peek().span, {word});
    Item* misplaced = keyword_item(word, true);
    if (misplaced && misplaced->kind != ItemKind::Budget) return poisoned(*misplaced);
    Item& nothing = tree_.item(ItemKind::Error, peek().span);
    nothing.as_read = misplaced;
    return &nothing;
  }
  if (word == "let") return take(), let_item();
  if (word == "require") return take(), require_item();
  if (word == "dim" && named) return take(), dim_item();
  if (word == "input" && named) return take(), input_item();
  if (word == "phase" && named) return take(), phase_item();
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
  if (word == "irplan" && second.kind == TokenKind::Int) {
    take();
    Item& made = tree_.item(ItemKind::Version, {});
    made.version = take().integer;
    return &made;
  }
  if (word == "else") {
    fail(Code::ElseWithoutIf, peek().span).rule("`else` follows the `}` of an `if`");
    take();
    resume_at_block();
    if (!panic_) block("else");
    return &tree_.item(ItemKind::Error, peek().span);
  }
  if ((word == "param" || word == "state") && named && peek(2).punct == punct(":")) {
    const Name wanted{tree_.intern(text(second.span)), second.span};
    fail(Code::NotAStatement, peek().span, {word})
        .help(std::string(text(second.span)) + " = " + word + " f32[…]");
    return poisoned(wanted);
  }
  if ((word == "import" || word == "while") &&
      (second.kind == TokenKind::Name || second.kind == TokenKind::String)) {
    Diagnostic& d = fail(Code::ReservedWord, peek().span, {word});
    if (word == "while") d.help("a loop counts iterations: for i in 32 with h { … }");
    if (word == "import")
      d.help("a program is one file; share numbers with --let, and model sizes with config");
    return &tree_.item(ItemKind::Error, peek().span);
  }
  if (!named) return nullptr;
  // `inptu x: …` is read as what it most likely is.
  const char* ours = translated(word);
  const std::string near = ours ? ours : nearest(word, keywords());
  if (near.empty() || near == "if" || near == "irplan" || word.size() < 2) return nullptr;
  warn(Code::NotAStatement, peek().span, {word}).fix("did you mean `" + near + "`", peek().span, near);
  return keyword_item(near, top);
}

// Binds the name to a value that stands for any, so that its uses are no errors.
Item* Parser::poisoned(const Name& name) {
  Item& made = tree_.item(ItemKind::Let, {});
  made.name = name;
  made.value = error(name.span);
  return &made;
}

Item* Parser::poisoned(const Item& read) {
  Item* made = poisoned(read.name);
  made->as_read = read.as_read ? read.as_read : &read;
  return made;
}

Item* Parser::let_item() {
  Item& made = tree_.item(ItemKind::Let, {});
  made.name = name("a name after `let`");
  if (!panic_ && (at("==") || at(":"))) {
    fail(Code::Expected, peek().span, {"`=`", found(peek())}).fix("write `=`", peek().span, "=");
  } else if (!panic_ && expect("=", "`=`")) {
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
      fail(Code::Expected, peek().span, {"a message in quotes", found(peek())});
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
  if (!panic_ && !at_word("in")) {
    if (at("=") || at(":")) {
      fail(Code::RangeForm, peek().span)
          .rule("dim S in 1..2048")
          .help("a number that never changes is a `let`");
    } else {
      fail(Code::Expected, peek().span, {"`in`", found(peek())}).rule("dim S in 1..2048");
    }
  }
  if (!panic_) {
    take();
    made.value = expression();
    if (!panic_ && !take_if("..")) fail(Code::RangeForm, peek().span).rule("dim S in 1..2048");
    if (!panic_) made.high = expression();
  }
  return panic_ || !made.high ? poisoned(made) : &made;
}

Item* Parser::input_item() {
  Item& made = tree_.item(ItemKind::Input, {});
  made.name = name("an input's name");
  if (!panic_ && expect(":", "`:` and a type")) made.type = type();
  return panic_ ? poisoned(made) : &made;
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
      if (!panic_ && !take_if(".."))
        fail(Code::RangeForm, peek().span).rule("phase prefill { S in 1..2048 }");
      if (!panic_) entry.high = expression();
    } else if (!panic_) {
      fail(Code::Expected, peek().span, {"`=` or `in`", found(peek())}).rule("phase decode { S = 1 }");
    }
    if (!panic_) made.entries.push_back(entry);
    take_if(",");
  }
  close("}", opening.span);
  --brackets_;
  return &made;
}

void Parser::distinct(const std::vector<Name>& names) {
  std::vector<Name> sorted = names;
  sort_range(sorted.begin(), sorted.end(), [](const Name& a, const Name& b) { return a.symbol < b.symbol; });
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i].symbol != sorted[i - 1].symbol) continue;
    warn(Code::NameTwiceInList, sorted[i].span, {tree_.text(sorted[i].symbol)})
        .also(sorted[i - 1].span, "here before");
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
    trailing_comma(")");
  }
  distinct(names);
  close(")", opening.span);
  --brackets_;
  if (!panic_ && at("="))
    fail(Code::FnBodyWithoutBraces, peek().span)
        .help("write fn " + tree_.text(made.name.symbol) + "(…) { return … }");
  if (panic_) resume_at_block();
  if (!panic_) made.body = block("fn");
  return &made;
}

Item* Parser::for_item() {
  Item& made = tree_.item(ItemKind::For, {});
  made.name = name("a loop's variable");
  made.body = &tree_.block();
  made.value = error(peek().span);
  if (!panic_ && !at_word("in"))
    fail(Code::Expected, peek().span, {"`in`", found(peek())}).rule("for i in 32 with h { … }");
  if (!panic_) {
    take();
    made.value = expression();
  }
  if (!panic_ && at("..")) {
    fail(Code::ExpectedEndOfLine, peek().span, {found(peek())})
        .rule("a loop counts iterations: for i in 32 runs i = 0 … 31");
  }
  if (!panic_ && at_word("with")) {
    take();
    do {
      skip_newlines();
      made.carried.push_back(name("a name that the loop hands on"));
    } while (!panic_ && take_if(","));
    if (panic_) made.carried.pop_back();
    distinct(made.carried);
  }
  if (panic_) resume_at_block();
  if (!panic_) made.body = block("for");
  return &made;
}

Item* Parser::if_item() {
  Item& made = tree_.item(ItemKind::If, {});
  made.value = expression();
  made.body = &tree_.block();
  if (panic_) resume_at_block();
  if (panic_) return &made;
  made.body = block("if");
  // `else` may begin a line; what is bound to the name `else` there is a statement of its own.
  const size_t before = next_;
  const uint32_t end = last_end_;
  skip_newlines();
  const Token& after = peek(1);
  const bool arm = after.punct == punct("{") || (after.kind == TokenKind::Name && text(after.span) == "if") ||
                   after.kind == TokenKind::Newline;
  if (panic_ || !at_word("else") || !arm) {
    next_ = before;
    last_end_ = end;
    return &made;
  }
  take();
  if (!at_word("if")) {
    made.otherwise = block("else");
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
  if (first.kind != TokenKind::Name) return unbound_item();
  std::vector<Name> names;
  do {
    if (!names.empty()) skip_newlines();
    Target target;
    target.name = name("a name to bind");
    const std::string& word = tree_.text(target.name.symbol);
    if (word == "true" || word == "false" || word == "none")
      warn(Code::ConstantAsName, target.name.span, {word});
    if (!panic_ && take_if(":")) target.annotation = type();
    names.push_back(target.name);
    if (panic_) target.annotation.reset();
    made.targets.push_back(std::move(target));
  } while (!panic_ && take_if(","));
  if (panic_) return &made;
  if (!take_if("=")) return no_binding(made, first);
  distinct(names);
  skip_newlines();
  made.value = expression();
  return &made;
}

// What begins with no name is no statement.
Item* Parser::unbound_item() {
  const Token first = peek();
  Item& made = tree_.item(ItemKind::Error, first.span);
  if (first.punct == punct(")") || first.punct == punct("]")) {
    fail(Code::Unmatched, first.span, {text(first.span)});
    take();
  } else if (first.kind == TokenKind::Punct && first.punct != punct("(") && first.punct != punct("[")) {
    fail(Code::Expected, first.span, {"a statement", found(first)});
  } else {
    made.value = expression();
    if (!panic_) fail(Code::ResultWithoutName, since(first.span.begin)).help("bind it: name = …");
  }
  return &made;
}

// A line that begins with a name and binds none: a word that is no keyword, or a value that nobody keeps.
Item* Parser::no_binding(const Item& read, const Token& first) {
  const std::vector<Target>& targets = read.targets;
  Item& made = tree_.item(ItemKind::Error, first.span);
  const std::string word(text(first.span));
  const bool alone = targets.size() == 1 && !targets[0].annotation;
  if (alone && peek().kind == TokenKind::Name) {
    fail(Code::NotAStatement, first.span, {word}).rule("a statement binds a name, or begins with a keyword");
  } else if (alone && (peek().kind == TokenKind::Punct || peek().kind == TokenKind::Newline ||
                       peek().kind == TokenKind::End)) {
    --next_;
    last_end_ = first.span.begin;
    made.value = expression();
    if (!panic_ && at("=")) {
      fail(Code::Expected, since(first.span.begin),
           {"a name before `=`", "`" + std::string(text(since(first.span.begin))).substr(0, 40) + "`"});
    } else if (!panic_ && peek().kind != TokenKind::Newline && peek().kind != TokenKind::End && !at("}")) {
      fail(Code::ExpectedEndOfLine, peek().span, {found(peek())});
    } else if (!panic_) {
      constexpr size_t kShort = 60;  // of an expression that is repeated whole
      const std::string whole(text(since(first.span.begin)));
      fail(Code::ResultWithoutName, since(first.span.begin))
          .help("bind it: " + std::string(word == "output" ? "logits" : "name") + " = " +
                (whole.size() <= kShort && whole.find('\n') == std::string::npos ? whole : word + "…"));
    }
  } else {
    fail(Code::Expected, peek().span, {"`=`", found(peek())});
    made.as_read = &read;
  }
  return &made;
}

}  // namespace irplan::syntax
