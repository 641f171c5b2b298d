#include "command_line/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/printable.h"
#include "command_line/arguments.h"
#include "files/write.h"

namespace irplan::command {
namespace {

constexpr size_t kNameColumn = 24;

}  // namespace

void say(const std::string& text) { std::fputs((printable(text, Lines::Many) + "\n").c_str(), stderr); }

int fail(Exit code, const std::string& message) {
  say("error: " + message);
  return code;
}

bool print(std::string_view text) {
  const auto failure = ::isatty(STDOUT_FILENO) ? write_standard_output(printable(text, Lines::Coloured))
                                               : write_standard_output(text);
  if (failure) fail(kFailed, *failure);
  return !failure;
}

bool use_color(std::string_view when, int stream) {
  if (when == "always") return true;
  if (when == "never") return false;
  const char* none = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return !(none && *none) && !(term && std::strcmp(term, "dumb") == 0) && ::isatty(stream);
}

std::string name_column(std::string name) {
  name.resize(std::max<size_t>(name.size() + 1, kNameColumn), ' ');
  return name;
}

size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
    return std::min<size_t>(size.ws_col, 200);
  return 100;
}

}  // namespace irplan::command
