// What the formatter must know of each token: a program's words with their roles.
#pragma once

#include <string_view>
#include <vector>

#include "syntax/lexer.h"
#include "syntax/tree.h"

namespace irplan::syntax {

enum class Brace : uint8_t { None, Paren, Bracket, Record, Phase, Block };

struct Piece {
  std::string_view text;
  uint32_t begin = 0;    // byte in the source
  uint32_t line = 0;     // in the source, from 1
  uint32_t column = 0;   // in the source, from 0
  uint32_t width = 0;    // columns
  uint32_t partner = 0;  // of a brace: the other one
  uint16_t padding = 0;  // blanks before it that align it with neighbours
  int depth = 0;         // of brackets and blocks around it
  Brace brace = Brace::None;
  bool opens = false;
  bool space = false;         // one blank stands before it, where it does not begin a line
  bool starts = false;        // a statement
  bool joins = false;         // `else`: stands on the line of the `}` before it
  bool aligns = false;        // the `=` of a binding, the `{` of a phase
  bool before_value = false;  // the piece after it begins the statement's value
  int breakable = 0;          // a long line may go on with this one; the smaller the better, 0: it may not
};

// Of a program that parsed without errors.
std::vector<Piece> pieces_of(const SourceText& source, const Tree& tree);

// Characters of UTF-8 text.
size_t columns(std::string_view text);

}  // namespace irplan::syntax
