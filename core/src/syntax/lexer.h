// Text to tokens. Newlines are tokens: the parser knows where one ends a statement.
#pragma once

#include <string>
#include <vector>

#include "irplan/diagnostic.h"

namespace irplan::syntax {

enum class TokenKind : uint8_t {
  End,
  Newline,  // or ";"
  Name,
  Int,     // integer; units applied
  Float,   // number
  String,  // with its quotes; the parser takes it apart
  Punct,   // one of ( ) [ ] { } , : ? . .. = == != < <= > >= + - * / // % && || ?? !
  Bad,     // reported already
};

struct Token {
  TokenKind kind = TokenKind::End;
  Span span;
  uint16_t punct = 0;  // its one or two characters, first * 256 + second
  int64_t integer = 0;
  double number = 0;
};

// The code of a punctuation, for comparing: punct("<=").
constexpr uint16_t punct(const char* text) {
  return static_cast<uint16_t>(static_cast<unsigned char>(text[0]) * 256 +
                               static_cast<unsigned char>(text[0] ? text[1] : 0));
}

// Tokens of a part of the source, closed by an End. Stops early, after a report, at a limit or where the text
// is no text.
std::vector<Token> lex(const SourceText& source, Span part, Diagnostics& diagnostics);

// Where the string or the interpolation that holds `at` ends: at the quote or brace that closes it; npos
// where its line ends first. `at` is the first byte after the opening quote (in_string) or brace.
size_t closing_of(std::string_view text, size_t at, size_t end, bool in_string);

// The comment that begins at a `#`: up to the end of its line.
struct Comment {
  Span span;
  bool own_line = false;  // nothing stands before it on its line
};
std::vector<Comment> comments_of(const SourceText& source);

}  // namespace irplan::syntax
