// Requests as a scheduler downstream writes them, and the trace that a training-data tool reads.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "files/growing_file.h"

namespace irplan::run {

struct Request {
  std::string id;
  int64_t arrival_us = 0;
  std::vector<int64_t> tokens;
  int64_t max_new_tokens = 0;
};
// requests.jsonl, by arrival; none with the reason, which names the file and line.
std::optional<std::vector<Request>> read_requests(const std::string& path, std::string* why);

// Requests that come on standard input while others are served, a line each; none has an arrival of its own.
class RequestStream {
 public:
  struct Line {
    size_t number = 0;
    std::optional<Request> request;
    std::string why;  // it is none
  };
  // The lines that are there by now; `wait` until there is one, or the end.
  std::vector<Line> take(bool wait);
  bool ended() const { return ended_; }

 private:
  void cut(std::vector<Line>& out);

  std::string text_;   // not yet a whole line
  size_t number_ = 0;  // of the last line
  bool ended_ = false;
};

// trace.jsonl: events in the order of time, which rises from line to line. They are in the file as soon as
// they are flushed; a trace without a file takes them and keeps none.
class Trace {
 public:
  explicit Trace(std::optional<GrowingFile> file = std::nullopt) : file_(std::move(file)) {}

  // Events of the future, given in the order of their time: each is written before what happens after it.
  void enqueue(int64_t ts, const std::string& id, int64_t tokens_requested);
  void reject_on_arrival(int64_t ts, const std::string& id, const std::string& reason);
  // What happens now; time never runs back.
  void schedule(int64_t ts, const std::string& id, int64_t batch, int64_t kv_alloc_bytes);
  void decode(int64_t ts, const std::string& id, int64_t batch, int64_t step, int64_t latency_us);
  void complete(int64_t ts, const std::string& id, int64_t total_tokens, int64_t latency_us);
  void reject(int64_t ts, const std::string& id, const std::string& reason);

  // From now on into this file, with all that was told so far.
  void write_to(GrowingFile file) { file_ = std::move(file); }
  // Writes what happened up to now, or with `all` the future as well. The reason where that fails, once: from
  // then on the file stays as it is.
  std::optional<std::string> flush(bool all = false);

 private:
  struct Event {
    int64_t ts;
    std::string rest;  // all after the time
  };
  static Event event(int64_t ts, const char* event, const std::string& id, const std::string& fields);
  void happen(const Event& event);
  void write(const Event& event);

  std::optional<GrowingFile> file_;
  std::deque<Event> future_;
  std::string lines_;  // not flushed yet
  int64_t last_ = -1;
};

// A JSON string with its quotes.
std::string json_text(const std::string& text);

}  // namespace irplan::run
