#include "ir/config.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/sort.h"

namespace irplan {
namespace {

constexpr size_t kFewKeys = 16;  // that are found as quickly one by one

// What Python writes into JSON although it is none, and as long a string that stands in for it, so that
// places stay what they are.
constexpr char kMark = '\x7f';
struct PythonNumber {
  std::string_view written, stand_in;
  double value;
};
constexpr PythonNumber kPythonNumbers[] = {{"-Infinity", "\"\x7f------\"", -HUGE_VAL},
                                           {"Infinity", "\"\x7f+++++\"", HUGE_VAL},
                                           {"NaN", "\"\x7f\"", NAN}};

std::string with_stand_ins(std::string_view text) {
  std::string out(text);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == 'I' || text[i] == 'N' || text[i] == '-')) {
      for (const PythonNumber& known : kPythonNumbers) {
        if (text.compare(i, known.written.size(), known.written) != 0) continue;
        const size_t end = i + known.written.size();
        const bool ends = end == text.size() || !std::isalnum(static_cast<unsigned char>(text[end]));
        if (ends) out.replace(i, known.stand_in.size(), known.stand_in);
        i = end - 1;
        break;
      }
    }
  }
  return out;
}

// Builds the tree from parser events: no recursion, depth and duplicates checked on the way.
class Builder {
 public:
  using json = nlohmann::ordered_json;

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
  bool number_float(double value, const std::string& written) {
    ConfigNode* node = add(ConfigNode::Kind::Float);
    if (!node) return false;
    node->number = value;
    node->string = written;
    return true;
  }
  bool string(std::string& value) {
    if (value.size() > 0 && value[0] == kMark) {
      for (const PythonNumber& known : kPythonNumbers) {
        if (value == known.stand_in.substr(1, known.stand_in.size() - 2))
          return number_float(known.value, std::string(known.written));
      }
    }
    ConfigNode* node = add(ConfigNode::Kind::String);
    if (node) node->string = std::move(value);
    return node != nullptr;
  }
  bool binary(json::binary_t&) { return false; }
  bool start_object(size_t) { return open(ConfigNode::Kind::Record); }
  bool start_array(size_t) { return open(ConfigNode::Kind::List); }
  bool end_object() {
    index(*stack_.back());
    keys_.pop_back();
    return stack_.pop_back(), true;
  }
  bool end_array() { return stack_.pop_back(), true; }
  bool key(std::string& key) {
    if (!key.empty() && key[0] == kMark) return why = "it is not JSON", false;
    keys_.back() = std::move(key);
    return true;
  }
  // `position` counts the bytes that were read, the one that does not belong included.
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) {
    why = "it is not JSON";
    place.end = static_cast<uint32_t>(std::max<size_t>(position, 1));
    place.begin = place.end - 1;
    return false;
  }

  std::string why;
  Span place;

 private:
  ConfigNode* add(ConfigNode::Kind kind) {
    if (nodes_.size() >= Config::kMaxValues) {
      why = "it holds more than " + std::to_string(Config::kMaxValues) + " values";
      return nullptr;
    }
    ConfigNode& node = nodes_.emplace_back();
    node.kind = kind;
    if (stack_.empty()) return &node;
    ConfigNode& parent = *stack_.back();
    node.parent = &parent;
    if (parent.kind == ConfigNode::Kind::List) {
      node.key = std::to_string(parent.items.size());
      parent.items.push_back(&node);
    } else {
      node.key = keys_.back();
      parent.entries.emplace_back(node.key, &node);
    }
    return &node;
  }

  // Sorts a record's keys. As in every JSON reader, the last of two equal keys counts.
  static void index(ConfigNode& record) {
    auto& entries = record.entries;
    std::vector<uint32_t> order(entries.size());
    std::iota(order.begin(), order.end(), 0u);
    sort_range(order.begin(), order.end(),
               [&](uint32_t a, uint32_t b) { return entries[a].first < entries[b].first; });
    bool twice = false;
    for (size_t i = 1; i < order.size(); ++i) {
      if (entries[order[i - 1]].first != entries[order[i]].first) continue;
      std::swap(entries[order[i - 1]].second, entries[order[i]].second);
      entries[order[i]].second = nullptr;  // its value stands where the key stood first
      std::swap(order[i - 1], order[i]);
      twice = true;
    }
    if (twice) {
      entries.erase(
          std::remove_if(entries.begin(), entries.end(), [](const auto& entry) { return !entry.second; }),
          entries.end());
      return index(record);
    }
    if (entries.size() > kFewKeys) record.by_key = std::move(order);
  }

  bool open(ConfigNode::Kind kind) {
    if (stack_.size() >= static_cast<size_t>(Config::kMaxDepth)) {
      why = "it is nested deeper than " + std::to_string(Config::kMaxDepth);
      return false;
    }
    ConfigNode* node = add(kind);
    if (!node) return false;
    stack_.push_back(node);
    if (kind == ConfigNode::Kind::Record) keys_.emplace_back();
    return true;
  }

  std::deque<ConfigNode>& nodes_;
  std::vector<ConfigNode*> stack_;
  std::vector<std::string> keys_;  // of each open record, the last
};

// A list is read where one of its values is.
void collect_unread(const ConfigNode& node, std::vector<std::string>& out) {
  if (node.read) return;
  for (const auto& [key, entry] : node.entries) collect_unread(*entry, out);
  if (std::any_of(node.items.begin(), node.items.end(), [](const ConfigNode* item) { return item->read; }))
    return;
  if (node.kind != ConfigNode::Kind::Record) out.push_back(node.path().substr(7));  // without "config."
}

}  // namespace

const ConfigNode* ConfigNode::find(std::string_view wanted) const {
  if (by_key.empty()) {
    for (const auto& [name, value] : entries) {
      if (name == wanted) return value;
    }
    return nullptr;
  }
  const auto found =
      std::lower_bound(by_key.begin(), by_key.end(), wanted,
                       [&](uint32_t entry, std::string_view k) { return entries[entry].first < k; });
  return found != by_key.end() && entries[*found].first == wanted ? entries[*found].second : nullptr;
}

std::string ConfigNode::path() const {
  if (!parent) return "config";
  return parent->path() + (parent->kind == Kind::List ? "[" + key + "]" : "." + key);
}

Result<Config> Config::parse(std::string_view text, Span* place) {
  if (place) *place = {};
  if (text.size() > kMaxBytes) {
    return Error{"it is larger than " + std::to_string(kMaxBytes >> 20) + " MiB"};
  }
  Config config;
  Builder builder(config.nodes_);
  const bool good = nlohmann::ordered_json::sax_parse(with_stand_ins(text), &builder);
  if (!good) {
    if (place) *place = builder.place;
    return Error{builder.why};
  }
  config.root_ = &config.nodes_.front();
  if (config.root_->kind != ConfigNode::Kind::Record) {
    return Error{"it is not a JSON object"};
  }
  return config;
}

Result<Config> Config::read(std::string_view text) {
  Span place;
  auto config = parse(text, &place);
  if (config || place.end == 0) return config;
  const LineColumn at = SourceText("", std::string(text)).locate(place.begin);
  return Error{config.message() + ", at line " + std::to_string(at.line) + ", column " +
               std::to_string(at.column)};
}

std::vector<std::string> Config::unread() const {
  std::vector<std::string> out;
  for (const auto& [key, entry] : root_->entries) collect_unread(*entry, out);
  return out;
}

bool unread(const ConfigNode& node) {
  if (node.read) return false;
  const auto all = [](const ConfigNode* below) { return unread(*below); };
  return std::all_of(node.items.begin(), node.items.end(), all) &&
         std::all_of(node.entries.begin(), node.entries.end(), [&](const auto& e) { return all(e.second); });
}

void mark_read(const ConfigNode& node) {
  node.read = true;
  for (const ConfigNode* item : node.items) mark_read(*item);
  for (const auto& [key, entry] : node.entries) mark_read(*entry);
}

}  // namespace irplan
