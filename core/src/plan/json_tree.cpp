#include "plan/json_tree.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text_writer.h"
#include "plan/plan.h"

namespace irplan {
namespace {

constexpr size_t kLinearKeys =
    16;  // records with more keys are checked for duplicates by sorting when they close

// A plan spends this many bytes of text on a value, keys and ids included; a list of zeros two, and memory
// fifty times that.
constexpr size_t kBytesEach = 4, kFewNodes = 4096;

class Builder {
 public:
  using json = nlohmann::json;

  Builder(std::deque<JsonNode>& nodes, size_t bytes)
      : nodes_(nodes), most_(std::min(JsonTree::kMaxNodes, bytes / kBytesEach + kFewNodes)) {}

  bool null() { return add(JsonNode::Kind::Null) != nullptr; }
  bool boolean(bool value) {
    JsonNode* node = add(JsonNode::Kind::Bool);
    if (node) node->boolean = value;
    return node != nullptr;
  }
  bool number_integer(int64_t value) {
    if (value > kMaxJsonInt || value < -kMaxJsonInt)
      return fail("the integer " + std::to_string(value) + " is beyond 2^53 - 1");
    JsonNode* node = add(JsonNode::Kind::Int);
    if (node) node->integer = value, node->number = static_cast<double>(value);
    return node != nullptr;
  }
  bool number_unsigned(uint64_t value) {
    if (value > static_cast<uint64_t>(kMaxJsonInt))
      return fail("the integer " + std::to_string(value) + " is beyond 2^53 - 1");
    return number_integer(static_cast<int64_t>(value));
  }
  bool number_float(double value, const std::string& text) {
    if (text.find_first_of(".eE") == std::string::npos)
      return fail("the integer " + text.substr(0, 40) + " is beyond 2^53 - 1");
    JsonNode* node = add(JsonNode::Kind::Float);
    if (node) node->number = value;
    return node != nullptr;
  }
  bool string(std::string& value) {
    JsonNode* node = add(JsonNode::Kind::String);
    if (node) node->string = std::move(value);
    return node != nullptr;
  }
  bool binary(json::binary_t&) { return fail("binary data"); }
  bool start_object(size_t) { return open(JsonNode::Kind::Record); }
  bool start_array(size_t) { return open(JsonNode::Kind::List); }
  bool end_array() { return stack_.pop_back(), key_.clear(), true; }
  bool end_object() {
    key_.clear();
    const JsonNode& node = *stack_.back();
    stack_.pop_back();
    if (node.entries.size() <= kLinearKeys) return true;
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : node.entries) keys.push_back(key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    return twice == keys.end() ||
           fail("the key \"" + std::string(twice->substr(0, 60)) + "\" stands twice in one object");
  }
  bool key(std::string& key) {
    const JsonNode& node = *stack_.back();
    if (node.entries.size() < kLinearKeys && node.find(key)) {
      return fail("the key \"" + key.substr(0, 60) + "\" stands twice in one object");
    }
    key_ = std::move(key);
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) {
    // Out of range is a number beyond a double; everything else is syntax.
    return fail(error.id == 406 ? "a number is beyond a double, near byte " + std::to_string(position)
                                : "no JSON: unexpected text at byte " + std::to_string(position));
  }

  std::string why;

 private:
  bool fail(const std::string& text) {
    if (why.empty()) why = place() + text;
    return false;
  }

  // Where the parser is, for people: the ids on the way down and the last key, "values h, shape: ".
  std::string place() const {
    std::string out;
    for (const JsonNode* node : stack_) {
      for (const char* name : {"id", "name"}) {
        const JsonNode* id = node->kind == JsonNode::Kind::Record ? node->find(name) : nullptr;
        if (id && id->kind == JsonNode::Kind::String) out += id->string.substr(0, 60) + ", ";
      }
    }
    return key_.empty() ? out : out + key_.substr(0, 60) + ": ";
  }

  JsonNode* add(JsonNode::Kind kind) {
    if (nodes_.size() >= most_) return fail("more than " + std::to_string(most_) + " values"), nullptr;
    if (!stack_.empty() && stack_.back()->items.size() >= JsonTree::kMaxItems)
      return fail("a list of more than " + std::to_string(JsonTree::kMaxItems) + " items"), nullptr;
    JsonNode& node = nodes_.emplace_back();
    node.kind = kind;
    if (!stack_.empty()) {
      JsonNode& parent = *stack_.back();
      if (parent.kind == JsonNode::Kind::List) {
        parent.items.push_back(&node);
      } else {
        parent.entries.emplace_back(key_, &node);
      }
    }
    return &node;
  }

  bool open(JsonNode::Kind kind) {
    if (stack_.size() >= JsonTree::kMaxDepth)
      return fail("nested deeper than " + std::to_string(JsonTree::kMaxDepth));
    JsonNode* node = add(kind);
    if (node) stack_.push_back(node);
    return node != nullptr;
  }

  std::deque<JsonNode>& nodes_;
  const size_t most_;
  std::vector<JsonNode*> stack_;
  std::string key_;
};

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return value;
  }
  return nullptr;
}

std::optional<JsonTree> JsonTree::parse(std::string_view text, std::string* why) {
  if (text.size() > kMaxBytes) {
    *why = "larger than " + std::to_string(kMaxBytes >> 20) + " MiB";
    return std::nullopt;
  }
  JsonTree tree;
  Builder builder(tree.nodes_, text.size());
  if (!nlohmann::json::sax_parse(text, &builder) || tree.nodes_.empty()) {
    *why = builder.why.empty() ? "no JSON" : builder.why;
    return std::nullopt;
  }
  return tree;
}

namespace {

void append(TextWriter& out, const JsonNode& node) {
  using Kind = JsonNode::Kind;
  bool first = true;
  const auto comma = [&] { first ? void(first = false) : void(out += ','); };
  switch (node.kind) {
    case Kind::Null: out += "null"; break;
    case Kind::Bool: out += node.boolean ? "true" : "false"; break;
    case Kind::Int: out.number(node.integer); break;
    case Kind::Float: out += nlohmann::json(node.number).dump(); break;
    case Kind::String: out.quote(node.string); break;
    case Kind::List:
      out += '[';
      for (const JsonNode* item : node.items) comma(), append(out, *item);
      out += ']';
      break;
    case Kind::Record:
      out += '{';
      for (const auto& [key, entry] : node.entries) comma(), out.quote(key), out += ':', append(out, *entry);
      out += '}';
  }
}

}  // namespace

std::string compact(const JsonNode& node) {
  TextWriter out(256);
  if (node.kind != JsonNode::Kind::List) {
    append(out, node);
    return out.take();
  }
  out += '[';
  for (size_t i = 0; i < node.items.size(); ++i) out += i ? ",\n" : "\n", append(out, *node.items[i]);
  out += node.items.empty() ? "]" : "\n]";
  return out.take();
}

}  // namespace irplan
