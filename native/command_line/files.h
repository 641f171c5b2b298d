// Files as a command names them; failures are messages on stderr.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace irplan::command {

// A whole file of at most `limit` bytes, or stdin for "-".
std::optional<std::string> read_file(const std::string& path, size_t limit);

// Whole, or an older file is as it was; "-" is stdout.
bool write_file(const std::string& path, std::string_view text);

// What a program read from `path` is called: "-" is stdin.irplan.
std::string program_name(const std::string& path);

// Whether a text is a plan: a program begins with no brace.
bool is_plan(std::string_view text);

}  // namespace irplan::command
