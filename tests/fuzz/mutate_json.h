// Mutations of JSON that leave it JSON: leaves get other leaves or numbers at edges, entries come, go, and
// change places.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fuzz/mutate.h"

namespace irplan::fuzz {

using Json = nlohmann::ordered_json;

inline void collect(Json& node, std::vector<Json*>& out) {
  out.push_back(&node);
  if (node.is_structured()) {
    for (Json& item : node) collect(item, out);
  }
}

inline Json edge(Random& random) {
  static const std::vector<Json> kEdges = {0,
                                           1,
                                           -1,
                                           2,
                                           3,
                                           7,
                                           8,
                                           64,
                                           255,
                                           256,
                                           4096,
                                           65536,
                                           1e30,
                                           -0.0,
                                           0.5,
                                           true,
                                           false,
                                           nullptr,
                                           "",
                                           "S",
                                           "B*S",
                                           "2*S + 1",
                                           "min(8, S)",
                                           "0",
                                           "overflow",
                                           "load",
                                           9007199254740991,
                                           -9007199254740991,
                                           2147483648,
                                           "f32",
                                           "q8_0",
                                           "9223372036854775807*S",
                                           Json::array(),
                                           Json::object()};
  return kEdges[random.below(kEdges.size())];
}

// Empty where the text is no JSON.
inline std::string mutate_json(const std::string& text, Random& random) {
  Json tree = Json::parse(text, nullptr, false);
  if (tree.is_discarded()) return "";
  const size_t rounds = 1 + random.below(3);
  for (size_t round = 0; round < rounds; ++round) {
    std::vector<Json*> nodes;
    collect(tree, nodes);
    Json& at = *nodes[random.below(nodes.size())];
    const Json other = *nodes[random.below(nodes.size())];
    switch (random.below(7)) {
      case 0: at = edge(random); break;
      case 1: at = other; break;
      case 2:
        if (at.is_number_integer()) at = at.get<int64_t>() + (random.below(2) ? 1 : -1);
        break;
      case 3:
        if (at.is_array() && !at.empty())
          at.erase(at.begin() + static_cast<std::ptrdiff_t>(random.below(at.size())));
        break;
      case 4:
        if (at.is_array() && !at.empty()) at.push_back(at[random.below(at.size())]);
        break;
      case 5:
        if (at.is_array() && at.size() > 1)
          std::swap(at[random.below(at.size())], at[random.below(at.size())]);
        break;
      default:
        if (at.is_object() && !at.empty()) {
          auto entry = at.begin();
          std::advance(entry, static_cast<std::ptrdiff_t>(random.below(at.size())));
          random.below(2) ? void(at.erase(entry)) : void(*entry = other);
        }
    }
  }
  return tree.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace irplan::fuzz
