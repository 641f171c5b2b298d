// The words and signs of a program.
#pragma once

#include <cstdint>

#include "irplan/source.h"

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

// The comment that begins at a `#`: up to the end of its line.
struct Comment {
  Span span;
  bool own_line = false;  // nothing stands before it on its line
};

}  // namespace irplan::syntax
