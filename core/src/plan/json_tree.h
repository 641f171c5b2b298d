// Strict JSON from a stranger as a tree: no duplicate keys, no integer beyond 2^53 - 1, bounded nesting and
// size.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace irplan {

struct JsonNode {
  enum class Kind : uint8_t { Null, Bool, Int, Float, String, List, Record } kind = Kind::Null;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string string;
  std::vector<const JsonNode*> items;
  std::vector<std::pair<std::string, const JsonNode*>> entries;

  const JsonNode* find(std::string_view key) const;
};

// The node's text without blanks, as irplan::to_json writes it; a list of the outermost level has a line for
// each item.
std::string compact(const JsonNode& node);

class JsonTree {
 public:
  static constexpr size_t kMaxBytes = size_t{256} << 20;
  static constexpr size_t kMaxNodes = 16000000;
  static constexpr size_t kMaxItems = 1000000;  // of one list
  static constexpr size_t kMaxDepth = 64;

  static std::optional<JsonTree> parse(std::string_view text, std::string* why);
  const JsonNode& root() const { return nodes_.front(); }

 private:
  std::deque<JsonNode> nodes_;
};

}  // namespace irplan
