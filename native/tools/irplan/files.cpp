#include "tools/irplan/files.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tools/irplan/arguments.h"

namespace irplan::cli {
namespace {

bool complain(const char* what, const std::string& path, int reason) {
  fail(kFailed, std::string(what) + " " + path + ": " + std::strerror(reason));
  return false;
}

// 0, or the reason as errno has it.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

int read_all(int file, size_t limit, std::string& out) {
  size_t used = 0;
  while (used <= limit) {
    if (out.size() == used) out.resize(std::min(limit + 1, std::max<size_t>(1 << 16, used * 2)));
    const ssize_t n = ::read(file, out.data() + used, out.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) break;
    used += static_cast<size_t>(n);
  }
  out.resize(used);
  return 0;
}

// A link is followed, so that writing through it leaves it one.
std::string resolved(const std::string& path) {
  char buffer[PATH_MAX];
  return ::realpath(path.c_str(), buffer) ? buffer : path;
}

int write_directly(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  const int reason = write_all(file, text);
  return ::close(file) != 0 && !reason ? errno : reason;
}

int write_renamed(const std::string& path, std::string_view text, mode_t mode) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string part = folder + "." + name.substr(0, 200) + "." + std::to_string(::getpid()) + ".new";
  const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return errno;
  int reason = write_all(file, text);
  if (::close(file) != 0 && !reason) reason = errno;
  if (!reason && ::rename(part.c_str(), path.c_str()) != 0) reason = errno;
  if (reason) ::unlink(part.c_str());
  return reason;
}

}  // namespace

std::optional<std::string> read_file(const std::string& path, size_t limit) {
  const bool standard = path == "-";
  const int file = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const std::string shown = standard ? "standard input" : path;
  if (file < 0) return complain("cannot read", shown, errno), std::nullopt;
  std::string out;
  const int reason = read_all(file, limit, out);
  if (!standard) ::close(file);
  if (reason) return complain("cannot read", shown, reason), std::nullopt;
  return out;
}

bool write_file(const std::string& path, std::string_view text) {
  if (path == "-") return print(text);
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  // Devices and pipes cannot be replaced; they take the bytes.
  const bool device = there && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
  int reason = there && S_ISDIR(status.st_mode) ? EISDIR : 0;
  if (!reason && device) reason = write_directly(path, text);
  if (!reason && !device)
    reason = write_renamed(there ? resolved(path) : path, text, there ? status.st_mode & 0777 : 0666);
  return !reason || complain("cannot write", path, reason);
}

bool print(std::string_view text) {
  const int reason = write_all(STDOUT_FILENO, text);
  return !reason || complain("cannot write", "standard output", reason);
}

std::string program_name(const std::string& path) { return path == "-" ? "stdin.irplan" : path; }

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool use_color(std::string_view when, int stream) {
  if (when == "always") return true;
  if (when == "never") return false;
  const char* none = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return !(none && *none) && !(term && std::strcmp(term, "dumb") == 0) && ::isatty(stream);
}

size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
    return std::min<size_t>(size.ws_col, 200);
  return 100;
}

}  // namespace irplan::cli
