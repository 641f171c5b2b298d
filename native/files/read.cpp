#include "files/read.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace irplan {

int read_all(int file, size_t most, std::string& out) {
  struct stat status {};
  const bool regular = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
  // One more, so that the end is seen without growing.
  const size_t room = regular ? static_cast<size_t>(status.st_size) + 1 : size_t{1} << 16;
  size_t used = 0;
  while (used < most) {
    if (out.size() == used) out.resize(std::min(most, used ? used * 2 : room));
    const ssize_t n = ::read(file, out.data() + used, out.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) break;
    used += static_cast<size_t>(n);
  }
  out.resize(used);
  return 0;
}

Result<std::string> read_text(const std::string& path, size_t limit) {
  const bool standard = path == "-";
  const std::string shown = standard ? "standard input" : path;
  const int file = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string out;
  const int reason = file < 0 ? errno : read_all(file, limit + 1, out);
  if (file >= 0 && !standard) ::close(file);
  if (reason) return Error{"cannot read " + shown + ": " + std::strerror(reason)};
  if (out.size() > limit)
    return Error{shown + " is larger than the " + std::to_string(limit >> 20) + " MiB that are read"};
  return out;
}

}  // namespace irplan
