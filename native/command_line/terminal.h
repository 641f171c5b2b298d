// What a command shows: results on stdout, everything else on stderr. Text of files is made harmless here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace irplan::command {

// A line on stderr, or several; what is not printable becomes `?`.
void say(const std::string& text);

// To stdout, byte for byte; on a terminal what would steer it becomes `?`, but for colours. False after a
// message where stdout is closed or full.
bool print(std::string_view text);

// Whether stderr (2) or stdout (1) shows colours: --color, then NO_COLOR, then whether it is a terminal.
bool use_color(std::string_view when, int stream);

// A name, and spaces up to where the text beside it begins.
std::string name_column(std::string name);

// Columns of the terminal at stdout; 100 where it is none.
size_t terminal_width();

}  // namespace irplan::command
