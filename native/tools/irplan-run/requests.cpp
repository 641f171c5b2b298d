#include "tools/irplan-run/requests.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "command_line/limits.h"
#include "files/read.h"

namespace irplan::run {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxLine = size_t{16} << 20;  // some two million tokens
constexpr size_t kMaxRequests = 1000000;

// `timed`: it says when it arrives.
bool read_line(const std::string& line, bool timed, Request& request, std::string* why) {
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return *why = "is not a JSON object", false;
  if (const auto named = json.find("req_id"); named != json.end() && named->is_string())
    request.id = named->get<std::string>();  // who is answered, whatever else is wrong
  for (const char* key : {"req_id", "tokens", "arrival_us", "max_new_tokens"}) {
    if (!json.contains(key) && (timed || key != std::string_view("arrival_us")))
      return *why = std::string(key) + " is missing", false;
  }
  const auto whole = [&](const char* key, int64_t* out) {
    const auto found = json.find(key);
    if (found == json.end()) return true;
    if (!found->is_number_integer() ||
        (found->is_number_unsigned() && found->get<uint64_t>() > uint64_t{1} << 53) ||
        found->get<int64_t>() < 0)
      return *why = std::string(key) + " is not a whole number from 0 to 2^53", false;
    *out = found->get<int64_t>();
    return true;
  };
  const auto id = json.find("req_id"), tokens = json.find("tokens");
  if (!id->is_string()) return *why = "req_id is not a string", false;
  if (!tokens->is_array()) return *why = "tokens is not a list", false;
  for (const Json& token : *tokens) {
    if (!token.is_number_integer()) return *why = "tokens holds something that is not a whole number", false;
    request.tokens.push_back(token.get<int64_t>());
  }
  return whole("arrival_us", &request.arrival_us) && whole("max_new_tokens", &request.max_new_tokens);
}

}  // namespace

std::optional<std::vector<Request>> read_requests(const std::string& path, std::string* why) {
  const auto text = read_text(path, command::kMaxRequestsFile, why);
  if (!text) return std::nullopt;
  std::vector<Request> out;
  std::set<std::string> ids;
  size_t number = 0;
  for (size_t at = 0; at < text->size();) {
    size_t end = text->find('\n', at);
    if (end == std::string::npos) end = text->size();
    const std::string line = text->substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto wrong = [&](const std::string& what) {
      *why = path + ":" + std::to_string(number) + ": " + what;
    };
    std::string what;
    if (line.size() > kMaxLine)
      return wrong("longer than the " + std::to_string(kMaxLine >> 20) + " MiB of a request"), std::nullopt;
    if (!read_line(line, true, out.emplace_back(), &what)) return wrong(what), std::nullopt;
    if (!ids.insert(out.back().id).second)
      return wrong("req_id " + json_text(out.back().id) + " is there twice"), std::nullopt;
    if (out.size() > kMaxRequests)
      return wrong("more than " + std::to_string(kMaxRequests) + " requests"), std::nullopt;
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Request& a, const Request& b) { return a.arrival_us < b.arrival_us; });
  return out;
}

void RequestStream::cut(std::vector<Line>& out) {
  for (size_t end; (end = text_.find('\n')) != std::string::npos || (ended_ && !text_.empty());) {
    const std::string line = text_.substr(0, end);
    text_.erase(0, end == std::string::npos ? end : end + 1);
    ++number_;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Line read{number_, Request(), ""};
    if (!read_line(line, false, *read.request, &read.why)) {
      if (read.request->id.empty()) read.request.reset();
    }
    out.push_back(std::move(read));
  }
}

std::vector<RequestStream::Line> RequestStream::take(bool wait) {
  std::vector<Line> out;
  while (!ended_) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, wait && out.empty() ? -1 : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    char piece[1 << 16];
    const ssize_t count = ::read(STDIN_FILENO, piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) ended_ = true;
    if (count > 0) text_.append(piece, static_cast<size_t>(count));
    cut(out);
    if (text_.size() > kMaxLine) {
      out.push_back({number_ + 1, std::nullopt,
                     "longer than the " + std::to_string(kMaxLine >> 20) + " MiB of a request"});
      ended_ = true;
    }
  }
  return out;
}

std::string json_text(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
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
  if (!file_) return std::nullopt;
  const std::string lines = std::exchange(lines_, "");
  return file_->add(lines);
}

}  // namespace irplan::run
