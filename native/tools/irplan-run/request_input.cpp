#include "tools/irplan-run/request_input.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "files/read.h"
#include "tools/limits.h"

namespace irplan::run {

Result<std::vector<Request>> read_requests_file(const std::string& path) {
  const auto text = read_text(path, command::kMaxRequestsFile);
  if (!text) return text.error();
  return read_requests(*text, path);
}

std::vector<RequestLines::Line> RequestInput::take(bool wait) {
  while (!lines_.ended()) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, wait && !lines_.any() ? -1 : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    char piece[1 << 16];
    const ssize_t count = ::read(STDIN_FILENO, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) lines_.end();
    if (count > 0) lines_.add({piece, static_cast<size_t>(count)});
  }
  return lines_.take();
}

}  // namespace irplan::run
