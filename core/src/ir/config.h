// A config.json as a tree that remembers what was read of it, so that a key nobody reads shows.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "irplan/result.h"
#include "irplan/source.h"

namespace irplan {

struct ConfigNode {
  enum class Kind : uint8_t { Null, Bool, Int, Float, String, List, Record } kind = Kind::Null;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string string;  // of a float: as it is written
  std::vector<const ConfigNode*> items;
  std::vector<std::pair<std::string, const ConfigNode*>> entries;
  std::vector<uint32_t> by_key;  // of a record of many entries: their order by key
  const ConfigNode* parent = nullptr;
  std::string key;  // in its record; in a list, its index

  mutable bool read = false;

  const ConfigNode* find(std::string_view key) const;
  // "config.rope_scaling.factor"
  std::string path() const;
};

class Config {
 public:
  static constexpr size_t kMaxBytes = size_t{16} << 20;
  static constexpr int kMaxDepth = 64;
  static constexpr size_t kMaxValues = 1 << 18;

  // None where the text is no JSON object within the limits; `why` then says what is wrong, and `place`
  // where: an empty span at 0 where that is the text as a whole.
  static Result<Config> parse(std::string_view text, Span* place = nullptr);
  // The same, and the message names line and column.
  static Result<Config> read(std::string_view text);

  const ConfigNode* root() const { return root_; }
  // Paths of leaves that were never read, in the file's order, without the leading "config.".
  std::vector<std::string> unread() const;

 private:
  std::deque<ConfigNode> nodes_;
  const ConfigNode* root_ = nullptr;
};

// Whether nothing of a node was read.
bool unread(const ConfigNode& node);

// Marks a node and all below it as read.
void mark_read(const ConfigNode& node);

}  // namespace irplan
