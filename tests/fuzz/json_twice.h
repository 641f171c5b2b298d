// JSON read twice: by core/src/plan/json_tree.h, and by nlohmann/json under the same rules. Both take the
// same texts, and find the same in them.
#pragma once

#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "plan/json_tree.h"
#include "plan/plan.h"

namespace irplan::fuzz {

// What a text holds, every value with its kind; doubles by their bits.
class Told {
 public:
  std::string text;

  void integer(int64_t n) { text += 'i' + std::to_string(n) + ' '; }
  void real(double x) {
    uint64_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    text += 'f' + std::to_string(bits) + ' ';
  }
  void string(char kind, std::string_view s) {
    text += kind + std::to_string(s.size()) + ':';
    text += s;
  }
  void node(const JsonNode& node) {
    using Kind = JsonNode::Kind;
    switch (node.kind()) {
      case Kind::Null: text += 'n'; break;
      case Kind::Bool: text += node.boolean() ? 't' : 'b'; break;
      case Kind::Int: integer(node.integer()); break;
      case Kind::Float: real(node.number()); break;
      case Kind::String: string('s', node.string()); break;
      case Kind::List:
        text += '[';
        for (const JsonNode& item : node.items()) this->node(item);
        text += ']';
        break;
      case Kind::Record:
        text += '{';
        for (const JsonEntry& entry : node.entries()) string('k', entry.key), this->node(entry.value);
        text += '}';
    }
  }
};

// The same as nlohmann's parser meets it, and the rules that JsonTree has besides JSON's own.
class Twice {
 public:
  Told told;

  bool null() { return told.text += 'n', true; }
  bool boolean(bool x) { return told.text += x ? 't' : 'b', true; }
  bool number_integer(int64_t n) { return told.integer(n), n >= -kMaxJsonInt; }
  bool number_unsigned(uint64_t n) {
    return told.integer(static_cast<int64_t>(n)), n <= static_cast<uint64_t>(kMaxJsonInt);
  }
  bool number_float(double x, const std::string& s) {
    return told.real(x), s.find_first_of(".eE") != std::string::npos;
  }
  bool string(std::string& s) { return told.string('s', s), true; }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(size_t) { return open('{'); }
  bool start_array(size_t) { return open('['); }
  bool end_object() { return close('}'); }
  bool end_array() { return close(']'); }
  bool key(std::string& s) { return told.string('k', s), keys_.back().insert(s).second; }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  bool open(char c) {
    told.text += c;
    keys_.emplace_back();
    return keys_.size() <= JsonTree::kMaxDepth;
  }
  bool close(char c) { return told.text += c, keys_.pop_back(), true; }
  std::vector<std::set<std::string>> keys_;
};

// What the two tell apart; empty where nothing is.
inline std::string read_twice(std::string_view input) {
  const auto tree = JsonTree::parse(input);
  if (!tree && tree.message().empty()) return "refused without a reason";
  if (input.find('\0') != std::string_view::npos)
    return tree ? "a NUL was taken" : "";  // ends the text for nlohmann/json
  Twice twice;
  const bool good = nlohmann::json::sax_parse(input, &twice);
  if (!tree && good) {
    // A text of small values has more of them than a plan would.
    return tree.message().find("more than") != std::string::npos
               ? ""
               : "refused, and nlohmann/json takes it: " + tree.message();
  }
  if (tree && !good) return "taken, and nlohmann/json refuses it";
  if (!tree) return "";
  Told told;
  told.node(tree->root());
  if (told.text != twice.told.text)
    return "read as " + told.text + ", and by nlohmann/json as " + twice.told.text;
  // What was read is written, and read again.
  const std::string written = compact(tree->root());
  const auto again = JsonTree::parse(written);
  return again && compact(again->root()) == written
             ? ""
             : "not the same when it is written and read again: " + again.message();
}

}  // namespace irplan::fuzz
