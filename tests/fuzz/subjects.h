// What must hold for every text, whatever it is; the fuzzers and the bounded fuzz test share it.
#pragma once

#include <string>
#include <string_view>

namespace irplan::fuzz {

// Parses and formats the text. Returns what is wrong with the answer, or an empty string:
// diagnostics lie inside of the text and come with every refusal; a formatted program has the same words,
// comments and tree, and formatting it again changes nothing.
std::string check_text(std::string_view text);

// Compiles it, with a config or without; the answer is a plan or at least one error.
std::string check_compile(std::string_view text, std::string_view config);

// The tree as text without places, for comparing.
std::string tree_text(std::string_view program);

}  // namespace irplan::fuzz
