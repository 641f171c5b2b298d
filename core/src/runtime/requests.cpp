#include "runtime/requests.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "runtime/trace.h"

namespace irplan {
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

std::optional<std::vector<Request>> read_requests(std::string_view text, const std::string& name,
                                                  std::string* why) {
  std::vector<Request> out;
  std::set<std::string> ids;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    const std::string line(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto wrong = [&](const std::string& what) {
      *why = name + ":" + std::to_string(number) + ": " + what;
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

void RequestLines::add(std::string_view piece) {
  if (ended_) return;
  text_ += piece;
  cut();
  if (text_.size() <= kMaxLine) return;
  lines_.push_back(
      {number_ + 1, std::nullopt, "longer than the " + std::to_string(kMaxLine >> 20) + " MiB of a request"});
  ended_ = true;
}

void RequestLines::end() {
  if (ended_) return;
  ended_ = true;
  cut();
}

void RequestLines::cut() {
  for (size_t end; (end = text_.find('\n')) != std::string::npos || (ended_ && !text_.empty());) {
    const std::string line = text_.substr(0, end);
    text_.erase(0, end == std::string::npos ? end : end + 1);
    ++number_;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Line read{number_, Request(), ""};
    if (!read_line(line, false, *read.request, &read.why)) {
      if (read.request->id.empty()) read.request.reset();
    }
    lines_.push_back(std::move(read));
  }
}

}  // namespace irplan
