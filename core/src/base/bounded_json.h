// JSON from a stranger that is kept as a whole. What is done with it afterwards (copies, texts, comparisons)
// goes down by calls, and a text of nothing but brackets would take all of the stack: it is read to a depth
// alone.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "irplan/result.h"

namespace irplan {

constexpr size_t kMaxJsonDepth = 64;  // what is asked of the commands and of the page has some five

// Whether so many brackets are open at once; of a text that is no JSON, before its first fault at least.
inline bool nests_deeper(std::string_view json, size_t most = kMaxJsonDepth) {
  size_t open = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      if (c == '\\') ++i;
    } else if (c == '[' || c == '{') {
      if (++open > most) return true;
    } else if ((c == ']' || c == '}') && open > 0) {
      --open;
    }
  }
  return false;
}

// Fails where it nests too deep; discarded where it is no JSON.
template <class Json = nlohmann::ordered_json>
Result<Json> parse_bounded(std::string_view text) {
  if (nests_deeper(text)) return Error{"is nested deeper than " + std::to_string(kMaxJsonDepth)};
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

// The same for who tells no reasons: discarded in both cases.
template <class Json = nlohmann::ordered_json>
Json parse_json(std::string_view text) {
  auto json = parse_bounded<Json>(text);
  return json ? *std::move(json) : Json(Json::value_t::discarded);
}

}  // namespace irplan
