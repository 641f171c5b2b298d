// Text to tokens. Newlines are tokens: the parser knows where one ends a statement.
#pragma once

#include <string_view>
#include <vector>

#include "irplan/diagnostic.h"
#include "syntax/token.h"

namespace irplan::syntax {

// Tokens of a part of the source, closed by an End. Stops early, after a report, at a limit or where the text
// is no text.
std::vector<Token> lex(const SourceText& source, Span part, Diagnostics& diagnostics);

// Where the string or the interpolation that holds `at` ends: at the quote or brace that closes it; npos
// where its line ends first. `at` is the first byte after the opening quote (in_string) or brace.
size_t closing_of(std::string_view text, size_t at, size_t end, bool in_string);

// All comments of a program, by its tokens: between two of those there are only blanks and comments.
std::vector<Comment> comments_of(const SourceText& source, const std::vector<Token>& tokens);

}  // namespace irplan::syntax
