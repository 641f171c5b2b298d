// What a diagnostic's code stands for, at more length than its message.
#pragma once

#include <string>
#include <string_view>

#include "irplan/diagnostic.h"

namespace irplan {

// Several lines: the message with its places open, what is wrong, and what to write instead.
std::string explain(const CodeInfo& code);
// {"code", "severity", "message", "means", "write"}
std::string explain_json(const CodeInfo& code);

// Whether a word can only be meant as a code: "E9999", "e0301", "E03", "error[E0301]".
bool is_like_code(std::string_view word);
// The code that such a word names, in whatever case. Null where there is none: `instead` then says which
// there are, "; the nearest is E0605".
const CodeInfo* find_meant_code(std::string_view word, std::string* instead);

}  // namespace irplan
