#include "command_line/files.h"

#include "command_line/arguments.h"
#include "command_line/terminal.h"
#include "files/read.h"
#include "files/write.h"

namespace irplan::command {

std::optional<std::string> read_file(const std::string& path, size_t limit) {
  auto text = read_text(path, limit);
  if (text) return *std::move(text);
  fail(kFailed, text.message());
  return std::nullopt;
}

bool write_file(const std::string& path, std::string_view text) {
  if (path == "-") return print(text);
  const auto failure = write_files({{path, std::string(text)}});
  if (failure) fail(kFailed, *failure);
  return !failure;
}

std::string program_name(const std::string& path) { return path == "-" ? "stdin.irplan" : path; }

bool is_plan(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

}  // namespace irplan::command
