#include "plan/json_tree.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/decimal.h"
#include "base/sort.h"
#include "base/text_writer.h"
#include "plan/plan.h"

namespace irplan {
namespace {

constexpr size_t kLinearKeys =
    16;  // records with more keys are checked for duplicates by sorting when they close

// A plan spends this many bytes of text on a value, keys and ids included; a list of zeros two, and memory
// sixteen.
constexpr size_t kBytesEach = 4, kFewNodes = 4096;

constexpr size_t kShown = 60;  // bytes of a stranger's text in a message
std::string shown(std::string_view text) { return std::string(text.substr(0, kShown)); }

// Bytes that stand for themselves in a string: all but quotes, backslashes, controls, and what begins a
// sequence of UTF-8.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> out{};
  for (size_t c = 0x20; c < 0x80; ++c) out[c] = c != '"' && c != '\\';
  return out;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Bytes of the UTF-8 sequence that begins there (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF);
// 0 where there is none.
size_t sequence(const char* at, const char* end) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(at[i]); };
  const size_t room = static_cast<size_t>(end - at);
  const auto more = [&](size_t i, unsigned char least = 0x80, unsigned char most = 0xBF) {
    return room > i && byte(i) >= least && byte(i) <= most;
  };
  const unsigned char first = byte(0);
  if (first < 0xC2 || first > 0xF4) return 0;
  if (first < 0xE0) return more(1) ? 2 : 0;
  if (first < 0xF0)
    return more(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && more(2) ? 3 : 0;
  return more(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && more(2) && more(3) ? 4 : 0;
}

void append_utf8(std::string& out, uint32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6)), tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0);
  }
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  for (const JsonEntry& entry : entries()) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

template <class T>
std::span<const T> JsonTree::Arrays<T>::keep(std::span<const T> array) {
  if (array.empty()) return {};
  if (array.size() > kBlock / 2) {  // alone, below the block that is being filled
    auto& block = *blocks_.insert(blocks_.empty() ? blocks_.end() : blocks_.end() - 1,
                                  std::make_unique<T[]>(array.size()));
    if (blocks_.size() == 1) free_ = kBlock;
    std::copy(array.begin(), array.end(), block.get());
    return {block.get(), array.size()};
  }
  if (blocks_.empty() || free_ + array.size() > kBlock)
    blocks_.push_back(std::make_unique<T[]>(kBlock)), free_ = 0;
  T* const to = blocks_.back().get() + free_;
  std::copy(array.begin(), array.end(), to);
  free_ += array.size();
  return {to, array.size()};
}

// One pass over the bytes. Items and entries of what is still open stand on two stacks, and move to the tree
// when it closes.
class JsonParser {
 public:
  JsonParser(std::string_view text, JsonTree& tree)
      : text_(text),
        at_(text.data()),
        end_(text.data() + text.size()),
        tree_(tree),
        most_(std::min(JsonTree::kMaxNodes, text.size() / kBytesEach + kFewNodes)) {}

  bool run() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ += 3;
    blanks();
    if (!value(tree_.root_)) return false;
    blanks();
    if (at_ == end_) return true;
    return fail("expected nothing after the value");
  }

  std::string why;

 private:
  // A record or list that is open.
  struct Frame {
    bool record;
    size_t first;          // of its entries or items on their stack
    std::string_view key;  // whose value is being read
  };

  void blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool value(JsonNode& out) {
    if (at_ == end_) return fail("expected a value");
    if (++nodes_ > most_) return fail("more than " + std::to_string(most_) + " values");
    switch (*at_) {
      case '"': {
        std::string_view text;
        if (!string(text)) return false;
        out = JsonNode(text);
        return true;
      }
      case '{': return open(true) && record(out);
      case '[': return open(false) && list(out);
      case 't': return word("true", JsonNode(true), out);
      case 'f': return word("false", JsonNode(false), out);
      case 'n': return word("null", JsonNode(), out);
      default: return number(out);
    }
  }

  bool word(std::string_view text, JsonNode meant, JsonNode& out) {
    if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(text))
      return fail("expected a value");
    at_ += text.size();
    out = meant;
    return true;
  }

  bool open(bool record) {
    if (frames_.size() >= JsonTree::kMaxDepth)
      return fail("nested deeper than " + std::to_string(JsonTree::kMaxDepth));
    frames_.push_back({record, record ? entries_.size() : items_.size(), {}});
    ++at_;
    blanks();
    return true;
  }

  bool record(JsonNode& out) {
    const size_t first = frames_.back().first;
    if (!take('}')) {
      do {
        blanks();
        JsonEntry entry;
        if (at_ == end_ || *at_ != '"') return fail("expected a key in quotes");
        if (!string(entry.key)) return false;
        frames_.back().key = entry.key;
        const size_t before = entries_.size() - first;
        if (before >= JsonTree::kMaxItems)
          return fail("a record of more than " + std::to_string(JsonTree::kMaxItems) + " keys");
        for (size_t i = first; before < kLinearKeys && i < entries_.size(); ++i) {
          if (entries_[i].key == entry.key) return twice(entry.key);
        }
        blanks();
        if (!take(':')) return fail("expected `:` after the key");
        blanks();
        if (!value(entry.value)) return false;
        entries_.push_back(entry);
        blanks();
      } while (take(','));
      if (!take('}')) return fail("expected `,` or `}`");
    }
    frames_.back().key = {};
    const std::span<const JsonEntry> all(entries_.data() + first, entries_.size() - first);
    if (all.size() > kLinearKeys && !unlike(all)) return false;
    frames_.pop_back();
    out = JsonNode(tree_.entries_.keep(all));
    entries_.resize(first);
    return true;
  }

  bool unlike(std::span<const JsonEntry> entries) {
    std::vector<std::string_view> keys;
    for (const JsonEntry& entry : entries) keys.push_back(entry.key);
    sort_range(keys.begin(), keys.end());
    const auto found = std::adjacent_find(keys.begin(), keys.end());
    if (found == keys.end()) return true;
    return twice(*found);
  }
  bool twice(std::string_view key) {
    return fail("the key \"" + shown(key) + "\" stands twice in one object");
  }

  bool list(JsonNode& out) {
    const size_t first = frames_.back().first;
    if (!take(']')) {
      do {
        blanks();
        if (items_.size() - first >= JsonTree::kMaxItems)
          return fail("a list of more than " + std::to_string(JsonTree::kMaxItems) + " items");
        JsonNode item;
        if (!value(item)) return false;
        items_.push_back(item);
        blanks();
      } while (take(','));
      if (!take(']')) return fail("expected `,` or `]`");
    }
    frames_.pop_back();
    out = JsonNode(tree_.items_.keep({items_.data() + first, items_.size() - first}));
    items_.resize(first);
    return true;
  }

  // ---- numbers
  bool number(JsonNode& out) {
    const char* const begin = at_;
    const bool negative = take('-');
    if (at_ == end_ || !is_digit(*at_)) return fail_at(begin, "expected a value");
    int64_t n = 0;  // stays beyond 2^53 once it is
    if (*at_ == '0') {
      ++at_;
    } else {
      for (; at_ != end_ && is_digit(*at_); ++at_) n = n > kMaxJsonInt ? n : 10 * n + (*at_ - '0');
    }
    bool whole = true;
    if (take('.')) whole = false, digits();
    if (good_ && at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_, whole = false;
      if (!take('-')) take('+');
      digits();
    }
    if (!good_ || (at_ != end_ && is_digit(*at_)))
      return fail("no number: a digit is missing, or a zero leads it");
    const std::string_view token(begin, static_cast<size_t>(at_ - begin));
    if (!whole) return real(token, out);
    if (n > kMaxJsonInt) return fail_at(begin, "the integer " + shown(token) + " is beyond 2^53 - 1");
    out = JsonNode(negative ? -n : n);
    return true;
  }
  void digits() {
    good_ = at_ != end_ && is_digit(*at_);
    while (at_ != end_ && is_digit(*at_)) ++at_;
  }
  bool real(std::string_view token, JsonNode& out) {
    const double x = read_decimal(token).number;
    if (!std::isfinite(x)) return fail_at(token.data(), "the number " + shown(token) + " is beyond a double");
    out = JsonNode(x);
    return true;
  }

  // ---- strings
  bool string(std::string_view& out) {
    const char* const begin = ++at_;
    bool escaped = false;
    const char* copied = begin;  // up to there the text is in scratch_
    for (;;) {
      while (at_ != end_ && kPlain[static_cast<unsigned char>(*at_)]) ++at_;
      if (at_ == end_) return fail_at(begin - 1, "a string without an end");
      if (*at_ == '"') break;
      if (*at_ == '\\') {
        if (!escaped) scratch_.clear();
        escaped = true;
        scratch_.append(copied, at_);
        if (!escape()) return false;
        copied = at_;
        continue;
      }
      if (static_cast<unsigned char>(*at_) < 0x20)
        return fail("a control character in a string; as \\u it may be there");
      const size_t bytes = sequence(at_, end_);
      if (!bytes) return fail("bytes that are no UTF-8");
      at_ += bytes;
    }
    if (escaped) {
      scratch_.append(copied, at_);
      const auto kept = tree_.text_.keep(std::span<const char>(scratch_));
      out = {kept.data(), kept.size()};
    } else {
      out = {begin, static_cast<size_t>(at_ - begin)};
    }
    ++at_;
    return true;
  }

  bool escape() {
    static constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    const char* const begin = at_++;
    const char c = at_ == end_ ? '\0' : *at_++;
    if (const size_t known = kEscapes.find(c); known != std::string_view::npos)
      return scratch_ += kMeant[known], true;
    uint32_t code = 0, low = 0;
    if (c != 'u' || !hex(code)) return fail_at(begin, "no escape of JSON");
    if (code >= 0xD800 && code <= 0xDFFF) {
      const bool pair =
          code < 0xDC00 && take('\\') && take('u') && hex(low) && low >= 0xDC00 && low <= 0xDFFF;
      if (!pair) return fail_at(begin, "half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(scratch_, code);
    return true;
  }
  bool hex(uint32_t& out) {
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = at_ == end_ ? '\0' : *at_;
      const int digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return false;
      out = out * 16 + static_cast<uint32_t>(digit);
    }
    return true;
  }

  // ---- what is told
  bool fail_at(const char* at, const std::string& what) { return at_ = at, fail(what); }
  bool fail(const std::string& what) {
    const std::string_view before(text_.data(), static_cast<size_t>(at_ - text_.data()));
    const size_t line = before.rfind('\n') + 1;  // npos + 1 is 0
    const auto characters =
        std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line), before.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    why = place() + what + " (line " + std::to_string(1 + std::count(before.begin(), before.end(), '\n')) +
          ", column " + std::to_string(characters + 1) + ")";
    return false;
  }

  // Where the parser is, for people: "values h.shape: ", "guards[3].expr: ".
  std::string place() const {
    std::string out;
    for (size_t level = 0; level < frames_.size(); ++level) {
      const Frame& frame = frames_[level];
      if (frame.record) {
        const std::string name = name_of(level);
        if (!name.empty()) out += (out.empty() ? "" : " ") + name;
        if (!frame.key.empty()) out += (out.empty() ? "" : ".") + shown(frame.key);
      } else if (level + 1 == frames_.size() || name_of(level + 1).empty()) {
        out += "[" + std::to_string(behind(level) - frame.first) + "]";
      }
    }
    return out.empty() ? out : out + ": ";
  }
  // Where the entries or items of an open record or list end on their stack.
  size_t behind(size_t level) const {
    const bool record = frames_[level].record;
    for (size_t inner = level + 1; inner < frames_.size(); ++inner) {
      if (frames_[inner].record == record) return frames_[inner].first;
    }
    return record ? entries_.size() : items_.size();
  }
  std::string name_of(size_t level) const {
    if (!frames_[level].record) return "";
    for (size_t i = frames_[level].first; i < behind(level); ++i) {
      const JsonEntry& e = entries_[i];
      if ((e.key == "id" || e.key == "name") && e.value.kind() == JsonNode::Kind::String)
        return shown(e.value.string());
    }
    return "";
  }

  const std::string_view text_;
  const char* at_;
  const char* const end_;
  JsonTree& tree_;
  const size_t most_;
  size_t nodes_ = 0;
  bool good_ = true;  // of a number's digits
  std::vector<Frame> frames_;
  std::vector<JsonNode> items_;
  std::vector<JsonEntry> entries_;
  std::string scratch_;
};

Result<JsonTree> JsonTree::parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return Error{"larger than " + std::to_string(kMaxBytes >> 20) + " MiB"};
  }
  JsonTree tree;
  JsonParser parser(text, tree);
  if (parser.run()) return tree;
  return Error{parser.why};
}

namespace {

void append(TextWriter& out, const JsonNode& node) {
  using Kind = JsonNode::Kind;
  bool first = true;
  const auto comma = [&] { first ? void(first = false) : void(out += ','); };
  switch (node.kind()) {
    case Kind::Null: out += "null"; break;
    case Kind::Bool: out += node.boolean() ? "true" : "false"; break;
    case Kind::Int: out.number(node.integer()); break;
    case Kind::Float: out += nlohmann::ordered_json(node.number()).dump(); break;
    case Kind::String: out.quote(node.string()); break;
    case Kind::List:
      out += '[';
      for (const JsonNode& item : node.items()) comma(), append(out, item);
      out += ']';
      break;
    case Kind::Record:
      out += '{';
      for (const JsonEntry& entry : node.entries())
        comma(), out.quote(entry.key), out += ':', append(out, entry.value);
      out += '}';
  }
}

}  // namespace

std::string compact(const JsonNode& node) {
  TextWriter out(256);
  if (node.kind() != JsonNode::Kind::List) {
    append(out, node);
    return out.take();
  }
  out += '[';
  bool first = true;
  for (const JsonNode& item : node.items()) out += first ? "\n" : ",\n", first = false, append(out, item);
  out += first ? "]" : "\n]";
  return out.take();
}

}  // namespace irplan
