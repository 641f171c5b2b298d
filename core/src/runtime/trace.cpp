#include "runtime/trace.h"

#include <algorithm>
#include <utility>

#include "base/text_writer.h"

namespace irplan {

std::string json_text(std::string_view text) {
  TextWriter out(text.size() + 2);
  out.quote(text);
  return out.take();
}

Trace::Event Trace::event(int64_t ts, const char* event, const std::string& id, const std::string& fields) {
  return {ts, ", \"event\": \"" + std::string(event) + "\", \"req_id\": " + json_text(id) + fields + "}\n"};
}

void Trace::write(const Event& event) {
  last_ = std::max(last_ + 1, event.ts);  // events of one microsecond keep their order
  lines_ += "{\"ts_us\": " + std::to_string(last_) + event.rest;
}

void Trace::happen(const Event& event) {
  for (; !future_.empty() && future_.front().ts <= event.ts; future_.pop_front()) write(future_.front());
  write(event);
}

void Trace::enqueue(int64_t ts, const std::string& id, int64_t tokens_requested) {
  future_.push_back(event(ts, "enqueue", id, ", \"tokens_requested\": " + std::to_string(tokens_requested)));
}

void Trace::reject_on_arrival(int64_t ts, const std::string& id, const std::string& reason) {
  future_.push_back(event(ts, "reject", id, ", \"reason\": " + json_text(reason)));
}

void Trace::schedule(int64_t ts, const std::string& id, int64_t batch, int64_t kv_alloc_bytes) {
  happen(event(ts, "schedule", id,
               ", \"batch_id\": " + std::to_string(batch) +
                   ", \"kv_alloc_bytes\": " + std::to_string(kv_alloc_bytes)));
}

void Trace::decode(int64_t ts, const std::string& id, int64_t batch, int64_t step, int64_t latency_us) {
  happen(event(ts, "decode", id,
               ", \"batch_id\": " + std::to_string(batch) + ", \"step\": " + std::to_string(step) +
                   ", \"latency_us\": " + std::to_string(latency_us)));
}

void Trace::complete(int64_t ts, const std::string& id, int64_t total_tokens, int64_t latency_us) {
  happen(event(ts, "complete", id,
               ", \"total_tokens\": " + std::to_string(total_tokens) +
                   ", \"latency_us\": " + std::to_string(latency_us)));
}

void Trace::reject(int64_t ts, const std::string& id, const std::string& reason) {
  happen(event(ts, "reject", id, ", \"reason\": " + json_text(reason)));
}

std::optional<std::string> Trace::flush(bool all) {
  for (; all && !future_.empty(); future_.pop_front()) write(future_.front());
  if (!sink_) return std::nullopt;
  return sink_(std::exchange(lines_, ""));
}

}  // namespace irplan
