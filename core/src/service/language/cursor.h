// Where in a statement a place is: by the tokens before it, since the tree of what is being typed says
// little.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "service/language/document.h"

namespace irplan::language {

// The call whose brackets the place is in.
struct OpenCall {
  std::string_view name;
  Span span;                            // of the name
  size_t argument = 0;                  // commas before the place
  bool direct = false;                  // no other bracket is open in it
  std::string_view keyword;             // of this argument, where its name and `=` stand before the place
  std::vector<std::string_view> given;  // keywords of all arguments
};

class Cursor {
 public:
  Cursor(Document& document, uint32_t place);

  Span word{};  // the word that ends or goes on at the place; empty where there is none
  bool in_comment = false;
  bool in_text = false;      // in a string, and in no interpolation of it
  bool in_number = false;    // `word` is a number, a unit may follow
  Span string{};             // that the place is in
  std::string_view before;   // the token before the word; empty at a line's beginning
  std::string_view before2;  // the one before that
  std::string_view opener;   // the word that the statement begins with; empty where the word itself does
  bool starts = false;       // a statement begins here
  bool in_brackets = false;
  std::vector<std::string_view> path;  // the names and indices before a point: config.a[0]. is {config, a, 0}
  std::optional<OpenCall> call;
  bool in_phase = false;  // in the braces of a `phase`

 private:
  void look(const std::vector<ast::Token>& tokens);
  void scan(const std::vector<ast::Token>& tokens, size_t at);
  void keywords_behind(const std::vector<ast::Token>& tokens, size_t at);
  void read_path(const std::vector<ast::Token>& tokens, size_t point);
  uint32_t column(uint32_t place) const;
  std::string_view text(const ast::Token& token) const { return source_.slice(token.span); }

  const SourceText& source_;
  uint32_t place_;
};

}  // namespace irplan::language
