// Requests from a file, or from standard input while others are served.
#pragma once

#include <string>
#include <vector>

#include "irplan/result.h"
#include "runtime/requests.h"

namespace irplan::run {

// None with the reason, which names the file and line.
Result<std::vector<Request>> read_requests_file(const std::string& path);

class RequestInput {
 public:
  // The lines that are there by now; `wait` until there is one, or the end.
  std::vector<RequestLines::Line> take(bool wait);
  bool ended() const { return lines_.ended(); }

 private:
  RequestLines lines_;
};

}  // namespace irplan::run
