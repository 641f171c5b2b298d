// Requests as a scheduler downstream writes them, and the trace that a training-data tool reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace irplan::run {

struct Request {
  std::string id;
  int64_t arrival_us = 0;
  std::vector<int64_t> tokens;
  int64_t max_new_tokens = 0;
};
// requests.jsonl, by arrival; none with the reason, which names the file and line.
std::optional<std::vector<Request>> read_requests(const std::string& path, std::string* why);

// trace.jsonl: events in the order of time, which rises from line to line.
class Trace {
 public:
  void enqueue(int64_t ts, const std::string& id, int64_t tokens_requested);
  void schedule(int64_t ts, const std::string& id, int64_t batch, int64_t kv_alloc_bytes);
  void decode(int64_t ts, const std::string& id, int64_t batch, int64_t step, int64_t latency_us);
  void complete(int64_t ts, const std::string& id, int64_t total_tokens, int64_t latency_us);
  void reject(int64_t ts, const std::string& id, const std::string& reason);
  std::string text() const;

 private:
  struct Event {
    int64_t ts;
    std::string rest;  // all after the time
  };
  void add(int64_t ts, const char* event, const std::string& id, const std::string& fields);
  std::vector<Event> events_;
};

// A JSON string with its quotes.
std::string json_text(const std::string& text);

}  // namespace irplan::run
