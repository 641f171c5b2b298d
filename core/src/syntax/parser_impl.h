// The parser's state, shared by its files: expressions, and items.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "syntax/lexer.h"
#include "syntax/parser.h"

namespace irplan::syntax {

// Whether a statement can begin with the word.
bool is_keyword(std::string_view word);

class Parser {
 public:
  Parser(Tree& tree, const SourceText& source, Span part, Diagnostics& diagnostics, int depth = 0);

  void program();
  const Expr* whole_expression();                                  // up to the end of the part
  std::vector<Token> take_tokens() { return std::move(tokens_); }  // when all is read

 private:
  // ---- tokens
  const Token& peek(size_t ahead = 0);  // newlines are skipped where they mean nothing
  const Token& take();
  bool at(const char* sign);
  bool at_word(const char* word);
  bool take_if(const char* sign);
  bool expect(const char* sign, const char* what);
  bool close(const char* sign, Span opening);  // reports the bracket that is not closed
  void skip_newlines();
  std::string_view text(Span span) const { return source_.slice(span); }
  std::string found(const Token& token) const;
  Span since(uint32_t begin) const { return {begin, last_end_}; }
  Name name(const char* what);
  void stop();            // nothing is read any more
  bool enter(Span span);  // one level of nesting deeper; false at the limit
  Expr* error(Span span);
  // Told, and parsing goes on.
  template <size_t N>
  Diagnostic& warn(std::type_identity_t<Taking<N>> code, Span span, const std::string_view (&arguments)[N]) {
    return add_warning(code.code, span, arguments);
  }
  Diagnostic& warn(Taking<0> code, Span span) { return add_warning(code.code, span, {}); }
  // Told, and what follows is skipped up to the next statement.
  template <size_t N>
  Diagnostic& fail(std::type_identity_t<Taking<N>> code, Span span, const std::string_view (&arguments)[N]) {
    return add_failure(code.code, span, arguments);
  }
  Diagnostic& fail(Taking<0> code, Span span) { return add_failure(code.code, span, {}); }
  Diagnostic& add_warning(Code code, Span span, std::span<const std::string_view> arguments);
  Diagnostic& add_failure(Code code, Span span, std::span<const std::string_view> arguments);
  void recover();
  void back_to_next_statement();
  bool resume_at_block();
  uint32_t column_of(size_t token) const;
  bool begins_line(size_t token) const;
  size_t next_token() const;

  // ---- expressions
  Expr* expression();
  Expr* binary(int level);
  Expr* unary();
  Expr* postfix();
  Expr* primary();
  Expr* leaf(ExprKind kind, const Token& word);
  Expr* call(const Name& name, uint32_t begin);
  Expr* list();
  Expr* record();
  Expr* group();
  Expr* string_expression();
  std::vector<StringPart> string_parts(const Token& token, bool star);
  Type type();
  void word_operator();
  int binary_operator(Operator& op);  // how tightly the next token binds; 0: it is no binary operator
  Expr* checked(Expr& e);             // after its parts are there: the depth of what is below
  void chained_comparison();
  void forget(Item& item);
  static const char* translated(std::string_view word);
  void trailing_comma(const char* close);
  bool keyword_in_expression();
  bool begins_value();
  bool begins_leaf();

  // ---- items
  Item* item(bool top);
  Item* keyword_item(const std::string& word, bool top);
  Item* let_item();
  Item* require_item();
  Item* dim_item();
  Item* input_item();
  Item* phase_item();
  Item* fn_item();
  Item* for_item();
  Item* if_item();
  Item* return_item();
  Item* bind_item();
  Item* unbound_item();
  Item* poisoned(const Item& read);
  Item* poisoned(const Name& name);
  Item* no_binding(const Item& read, const Token& first);
  const Block* block(const char* owner);
  void end_of_item(bool top);
  bool begins_binding();
  void distinct(const std::vector<Name>& names);

  Tree& tree_;
  const SourceText& source_;
  Diagnostics& diagnostics_;
  std::vector<Token> tokens_;
  size_t next_ = 0;
  size_t statement_ = 0;   // the token that the statement begins with
  uint32_t last_end_ = 0;  // end of the last token taken
  int brackets_ = 0;       // open ones inside which a newline means nothing
  int depth_;              // of nesting
  bool panic_ = false;     // an error was reported; everything is silent up to the next statement
  bool stopped_ = false;   // a limit was hit
};

}  // namespace irplan::syntax
