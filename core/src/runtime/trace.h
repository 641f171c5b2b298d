// What happened to requests, as a tool that makes training data reads it: a line of JSON an event.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace irplan {

// Events in the order of time, which rises from line to line. A trace without a sink takes them and keeps
// none of what is flushed.
class Trace {
 public:
  // Takes whole lines; the reason where it cannot.
  using Sink = std::function<std::optional<std::string>(const std::string& lines)>;

  // Events of the future, given in the order of their time: each is written before what happens after it.
  void enqueue(int64_t ts, const std::string& id, int64_t tokens_requested);
  void reject_on_arrival(int64_t ts, const std::string& id, const std::string& reason);
  // What happens now; time never runs back.
  void schedule(int64_t ts, const std::string& id, int64_t batch, int64_t kv_alloc_bytes);
  void decode(int64_t ts, const std::string& id, int64_t batch, int64_t step, int64_t latency_us);
  void complete(int64_t ts, const std::string& id, int64_t total_tokens, int64_t latency_us);
  void reject(int64_t ts, const std::string& id, const std::string& reason);

  // From now on into this sink, with all that was told so far.
  void write_to(Sink sink) { sink_ = std::move(sink); }
  // Gives the sink what happened up to now, or with `all` the future as well. The reason where that fails.
  std::optional<std::string> flush(bool all = false);

 private:
  struct Event {
    int64_t ts;
    std::string rest;  // all after the time
  };
  static Event event(int64_t ts, const char* event, const std::string& id, const std::string& fields);
  void happen(const Event& event);
  void write(const Event& event);

  Sink sink_;
  std::deque<Event> future_;
  std::string lines_;  // not flushed yet
  int64_t last_ = -1;
};

// A JSON string with its quotes.
std::string json_text(std::string_view text);

}  // namespace irplan
