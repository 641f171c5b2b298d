#include "runtime/requests.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/bounded_json.h"
#include "runtime/trace.h"

namespace irplan {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxLine = size_t{16} << 20;  // some two million tokens
constexpr size_t kMaxRequests = 1000000;

Failure read_sampling(const Json& json, Request& request) {
  for (const char* name : SamplingWords::kNames) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) continue;
    const auto wrong = request.sampling.set(name, found->is_number() ? found->get<double>() : std::nan(""));
    if (wrong) return std::string(name) + " " + *wrong + ", not " + found->dump().substr(0, 80);
  }
  return std::nullopt;
}

bool read_ids(const Json& json, std::vector<int64_t>* out) {
  const auto id = [&](const Json& number) {
    if (!number.is_number_integer()) return false;
    out->push_back(number.get<int64_t>());
    return true;
  };
  if (!json.is_array()) return id(json);
  return std::all_of(json.begin(), json.end(), id);
}

// "eos": 2, or [2, 7]; "stop": 2, [2, 7], or [[3, 4], 2]
Failure read_ends(const Json& json, Request& request) {
  const auto eos = json.find("eos"), stop = json.find("stop");
  if (eos != json.end() && !eos->is_null() && !read_ids(*eos, &request.eos.emplace()))
    return "eos takes a token id or a list of them, not " + eos->dump().substr(0, 80);
  if (stop == json.end() || stop->is_null()) return std::nullopt;
  const Json all = stop->is_array() ? *stop : Json::array({*stop});
  for (const Json& one : all) {
    if (read_ids(one, &request.stop.emplace_back()) && !request.stop.back().empty()) continue;
    return "stop takes token ids and lists of those that end it in a row, not " + stop->dump().substr(0, 80);
  }
  return std::nullopt;
}

// `timed`: it says when it arrives.
Failure read_line(const std::string& line, bool timed, Request& request) {
  const auto parsed = parse_bounded(line);
  if (!parsed) return parsed.message();
  const Json& json = *parsed;
  if (json.is_discarded() || !json.is_object()) return "is not a JSON object";
  if (const auto named = json.find("req_id"); named != json.end() && named->is_string())
    request.id = named->get<std::string>();  // who is answered, whatever else is wrong
  for (const char* key : {"req_id", "tokens", "arrival_us", "max_new_tokens"}) {
    if (!json.contains(key) && (timed || key != std::string_view("arrival_us")))
      return std::string(key) + " is missing";
  }
  for (const auto& [key, value] : json.items()) {
    const auto& known = Request::keys();
    if (std::find(known.begin(), known.end(), key) == known.end()) request.unread.push_back(key);
  }
  const auto whole = [&](const char* key, int64_t* out) -> Failure {
    const auto found = json.find(key);
    if (found == json.end()) return std::nullopt;
    if (!found->is_number_integer() ||
        (found->is_number_unsigned() && found->get<uint64_t>() > uint64_t{1} << 53) ||
        found->get<int64_t>() < 0)
      return std::string(key) + " is not a whole number from 0 to 2^53";
    *out = found->get<int64_t>();
    return std::nullopt;
  };
  const auto id = json.find("req_id"), tokens = json.find("tokens");
  if (!id->is_string()) return "req_id is not a string";
  if (!tokens->is_array()) return "tokens is not a list";
  for (const Json& token : *tokens) {
    if (!token.is_number_integer()) return "tokens holds something that is not a whole number";
    request.tokens.push_back(token.get<int64_t>());
  }
  if (auto failure = whole("arrival_us", &request.arrival_us)) return failure;
  if (auto failure = whole("max_new_tokens", &request.max_new_tokens)) return failure;
  if (auto failure = read_sampling(json, request)) return failure;
  return read_ends(json, request);
}

}  // namespace

const std::vector<std::string>& Request::keys() {
  static const std::vector<std::string> kKeys = [] {
    std::vector<std::string> out = {"req_id", "tokens", "arrival_us", "max_new_tokens", "eos", "stop"};
    out.insert(out.end(), std::begin(SamplingWords::kNames), std::end(SamplingWords::kNames));
    return out;
  }();
  return kKeys;
}

bool Request::ends(const std::vector<int64_t>& fresh, const std::vector<int64_t>& usual_eos) const {
  const auto& last = eos ? *eos : usual_eos;
  if (!fresh.empty() && std::find(last.begin(), last.end(), fresh.back()) != last.end()) return true;
  return std::any_of(stop.begin(), stop.end(), [&](const std::vector<int64_t>& ids) {
    return ids.size() <= fresh.size() && std::equal(ids.rbegin(), ids.rend(), fresh.rbegin());
  });
}

Result<std::vector<Request>> read_requests(std::string_view text, const std::string& name) {
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
      return Error{name + ":" + std::to_string(number) + ": " + what};
    };
    if (line.size() > kMaxLine)
      return wrong("longer than the " + std::to_string(kMaxLine >> 20) + " MiB of a request");
    if (auto failure = read_line(line, true, out.emplace_back())) return wrong(*failure);
    if (!ids.insert(out.back().id).second)
      return wrong("req_id " + json_text(out.back().id) + " is there twice");
    if (out.size() > kMaxRequests) return wrong("more than " + std::to_string(kMaxRequests) + " requests");
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
    if (auto failure = read_line(line, false, *read.request)) {
      read.why = *failure;
      if (read.request->id.empty()) read.request.reset();
    }
    lines_.push_back(std::move(read));
  }
}

}  // namespace irplan
