// Strict JSON (RFC 8259) from a stranger as a tree: no duplicate keys, no integer beyond 2^53 - 1, bounded
// nesting and size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "irplan/result.h"

namespace irplan {

struct JsonEntry;

// 16 bytes. What it is not is empty: a number has no items, a list no text.
class JsonNode {
 public:
  enum class Kind : uint8_t { Null, Bool, Int, Float, String, List, Record };

  JsonNode() = default;
  explicit JsonNode(bool x) : kind_(Kind::Bool), integer_(x) {}
  explicit JsonNode(int64_t x) : kind_(Kind::Int), integer_(x) {}
  explicit JsonNode(double x) : kind_(Kind::Float), float_(x) {}
  explicit JsonNode(std::string_view x)
      : kind_(Kind::String), size_(static_cast<uint32_t>(x.size())), text_(x.data()) {}
  explicit JsonNode(std::span<const JsonNode> x)
      : kind_(Kind::List), size_(static_cast<uint32_t>(x.size())), items_(x.data()) {}
  explicit JsonNode(std::span<const JsonEntry> x);

  Kind kind() const { return kind_; }
  bool boolean() const { return kind_ == Kind::Bool && integer_ != 0; }
  int64_t integer() const { return kind_ == Kind::Int ? integer_ : 0; }
  double number() const {  // of both kinds
    return kind_ == Kind::Float ? float_ : static_cast<double>(integer());
  }
  std::string_view string() const {
    return kind_ == Kind::String ? std::string_view(text_, size_) : std::string_view();
  }
  std::span<const JsonNode> items() const {
    return kind_ == Kind::List ? std::span(items_, size_) : std::span<const JsonNode>();
  }
  std::span<const JsonEntry> entries() const;
  const JsonNode* find(std::string_view key) const;

 private:
  Kind kind_ = Kind::Null;
  uint32_t size_ = 0;
  union {
    int64_t integer_ = 0;
    double float_;
    const char* text_;
    const JsonNode* items_;
    const JsonEntry* entries_;
  };
};

struct JsonEntry {
  std::string_view key;
  JsonNode value;
};

inline JsonNode::JsonNode(std::span<const JsonEntry> x)
    : kind_(Kind::Record), size_(static_cast<uint32_t>(x.size())), entries_(x.data()) {}
inline std::span<const JsonEntry> JsonNode::entries() const {
  return kind_ == Kind::Record ? std::span(entries_, size_) : std::span<const JsonEntry>();
}

// The node's text without blanks, as irplan::to_json writes it; a list of the outermost level has a line for
// each item.
std::string compact(const JsonNode& node);

// Strings without escapes are views of the text that was parsed: it must outlive the tree.
class JsonTree {
 public:
  static constexpr size_t kMaxBytes = size_t{256} << 20;
  static constexpr size_t kMaxNodes = 16000000;
  static constexpr size_t kMaxItems = 1000000;  // of one list, or of one record
  static constexpr size_t kMaxDepth = 64;

  // None where the text breaks a rule; `why` then says where, and which: "values h.shape: expected `,` or `]`
  // (line 3, column 14)".
  static Result<JsonTree> parse(std::string_view text);
  const JsonNode& root() const { return root_; }

 private:
  friend class JsonParser;

  // Arrays that stay where they are.
  template <class T>
  class Arrays {
   public:
    std::span<const T> keep(std::span<const T> array);

   private:
    static constexpr size_t kBlock = 16384 / sizeof(T);
    std::vector<std::unique_ptr<T[]>> blocks_;
    size_t free_ = 0;  // behind the last array of the last block
  };

  JsonNode root_;
  Arrays<JsonNode> items_;
  Arrays<JsonEntry> entries_;
  Arrays<char> text_;  // of strings with escapes
};

}  // namespace irplan
