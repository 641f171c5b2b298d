// Files as a command needs them: read with a limit, written whole or not at all, and failures that name the
// file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace irplan::cli {

// The first `limit` + 1 bytes of a file, or of stdin for "-": whoever has a limit sees that it is exceeded
// without reading gigabytes. None after a message on stderr.
std::optional<std::string> read_file(const std::string& path, size_t limit);

// Through a temporary file beside the target and a rename, so that no reader ever sees half of it; "-" is
// stdout. False after a message on stderr; then an older file is as it was.
bool write_file(const std::string& path, std::string_view text);

// To stdout. False after a message where it is closed or full.
bool print(std::string_view text);

// What a program read from `path` is called: "-" is stdin.irplan.
std::string program_name(const std::string& path);

bool exists(const std::string& path);

// Whether stderr (2) or stdout (1) shows colours: --color, then NO_COLOR, then whether it is a terminal.
bool use_color(std::string_view when, int stream);

// Columns of the terminal at stdout; 100 where it is none.
size_t terminal_width();

}  // namespace irplan::cli
