// Requests as a scheduler downstream writes them, a line of JSON each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "irplan/result.h"
#include "runtime/sampler.h"

namespace irplan {

struct Request {
  std::string id;
  int64_t arrival_us = 0;
  std::vector<int64_t> tokens;
  int64_t max_new_tokens = 0;
  SamplingWords sampling;
  std::optional<std::vector<int64_t>> eos;  // each ends it; absent: as the command line says
  std::vector<std::vector<int64_t>> stop;   // ids in a row that end it
  std::vector<std::string> unread;          // keys that say nothing here: "temprature"

  // What a request may say.
  static const std::vector<std::string>& keys();
  // Whether it ends with the last of these new tokens.
  bool ends(const std::vector<int64_t>& fresh, const std::vector<int64_t>& usual_eos) const;
};
// The text of a requests.jsonl, by arrival; none with the reason, which names the file and line.
Result<std::vector<Request>> read_requests(std::string_view text, const std::string& name);

// Requests that come while others are served, in pieces of any size; none has an arrival of its own.
class RequestLines {
 public:
  struct Line {
    size_t number = 0;
    std::optional<Request> request;
    std::string why;  // it is none
  };
  void add(std::string_view piece);
  void end();
  // Whole lines that came since the last call.
  std::vector<Line> take() { return std::exchange(lines_, {}); }
  bool any() const { return !lines_.empty(); }
  // Nothing more is read: the end came, or a line that is too long.
  bool ended() const { return ended_; }

 private:
  void cut();

  std::string text_;   // not yet a whole line
  size_t number_ = 0;  // of the last line
  std::vector<Line> lines_;
  bool ended_ = false;
};

}  // namespace irplan
