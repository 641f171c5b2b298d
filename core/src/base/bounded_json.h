// JSON from a stranger that is kept as a whole. What is done with it afterwards (copies, texts, comparisons)
// goes down by calls, and a text of nothing but brackets would take all of the stack: it is read to a depth
// alone.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

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

// Discarded where it is no JSON, or nests too deep.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text) {
  return nests_deeper(text) ? Json(Json::value_t::discarded)
                            : Json::parse(text.begin(), text.end(), nullptr, false);
}

}  // namespace irplan
