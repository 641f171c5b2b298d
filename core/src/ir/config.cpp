#include "ir/config.h"

#include <nlohmann/json.hpp>

namespace irplan {
namespace {

// Builds the tree from parser events: no recursion, depth and duplicates checked on the way.
class Builder {
 public:
  using json = nlohmann::json;

  explicit Builder(std::deque<ConfigNode>& nodes) : nodes_(nodes) {}

  bool null() { return add(ConfigNode::Kind::Null) != nullptr; }
  bool boolean(bool value) {
    ConfigNode* node = add(ConfigNode::Kind::Bool);
    if (node) node->boolean = value;
    return node != nullptr;
  }
  bool number_integer(int64_t value) {
    ConfigNode* node = add(ConfigNode::Kind::Int);
    if (node) node->integer = value;
    return node != nullptr;
  }
  bool number_unsigned(uint64_t value) {
    if (value <= INT64_MAX) return number_integer(static_cast<int64_t>(value));
    return number_float(static_cast<double>(value), {});
  }
  bool number_float(double value, const std::string&) {
    ConfigNode* node = add(ConfigNode::Kind::Float);
    if (node) node->number = value;
    return node != nullptr;
  }
  bool string(std::string& value) {
    ConfigNode* node = add(ConfigNode::Kind::String);
    if (node) node->string = std::move(value);
    return node != nullptr;
  }
  bool binary(json::binary_t&) { return false; }
  bool start_object(size_t) { return open(ConfigNode::Kind::Record); }
  bool start_array(size_t) { return open(ConfigNode::Kind::List); }
  bool end_object() { return stack_.pop_back(), true; }
  bool end_array() { return stack_.pop_back(), true; }
  bool key(std::string& key) {
    key_ = std::move(key);
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) {
    if (why.empty()) why = "it is no JSON: unexpected text at byte " + std::to_string(position);
    return false;
  }

  std::string why;

 private:
  ConfigNode* add(ConfigNode::Kind kind) {
    ConfigNode& node = nodes_.emplace_back();
    node.kind = kind;
    if (stack_.empty()) {
      node.path = "config";
      return &node;
    }
    ConfigNode& parent = *stack_.back();
    if (parent.kind == ConfigNode::Kind::List) {
      node.path = parent.path + "[" + std::to_string(parent.items.size()) + "]";
      parent.items.push_back(&node);
      return &node;
    }
    node.path = parent.path + "." + key_;
    // As every JSON reader does, the last of two equal keys counts.
    for (auto& [name, value] : parent.entries) {
      if (name == key_) return value = &node, &node;
    }
    parent.entries.emplace_back(key_, &node);
    return &node;
  }

  bool open(ConfigNode::Kind kind) {
    if (stack_.size() >= static_cast<size_t>(Config::kMaxDepth)) {
      why = "it is nested deeper than " + std::to_string(Config::kMaxDepth);
      return false;
    }
    ConfigNode* node = add(kind);
    if (node) stack_.push_back(node);
    return node != nullptr;
  }

  std::deque<ConfigNode>& nodes_;
  std::vector<ConfigNode*> stack_;
  std::string key_;
};

void collect_unread(const ConfigNode& node, std::vector<std::string>& out) {
  if (node.read) return;
  for (const auto& [key, entry] : node.entries) collect_unread(*entry, out);
  if (node.kind != ConfigNode::Kind::Record) out.push_back(node.path.substr(node.path.find('.') + 1));
}

}  // namespace

const ConfigNode* ConfigNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return value;
  }
  return nullptr;
}

std::optional<Config> Config::parse(std::string_view text, std::string* why) {
  if (text.size() > kMaxBytes) {
    *why = "it is larger than " + std::to_string(kMaxBytes >> 20) + " MiB";
    return std::nullopt;
  }
  Config config;
  Builder builder(config.nodes_);
  const bool good = nlohmann::json::sax_parse(text, &builder);
  if (!good || config.nodes_.empty()) {
    *why = builder.why.empty() ? "it is no JSON" : builder.why;
    return std::nullopt;
  }
  config.root_ = &config.nodes_.front();
  if (config.root_->kind != ConfigNode::Kind::Record) {
    *why = "it is no JSON object";
    return std::nullopt;
  }
  return config;
}

std::vector<std::string> Config::unread() const {
  std::vector<std::string> out;
  for (const auto& [key, entry] : root_->entries) collect_unread(*entry, out);
  return out;
}

void mark_read(const ConfigNode& node) {
  node.read = true;
  for (const ConfigNode* item : node.items) mark_read(*item);
  for (const auto& [key, entry] : node.entries) mark_read(*entry);
}

}  // namespace irplan
