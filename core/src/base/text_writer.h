// Megabytes of text from short pieces: plan.json, and replies that carry one.
//
// What std::string does, but inlined: Emscripten's library has its appends as calls, and they were two fifths
// of a compilation.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace irplan {

class TextWriter {
 public:
  explicit TextWriter(size_t expected) : text_(expected, '\0') {}

  TextWriter& operator+=(char c) {
    if (used_ == text_.size()) grow(1);
    text_.data()[used_++] = c;
    return *this;
  }
  TextWriter& operator+=(std::string_view piece) {
    if (text_.size() - used_ < piece.size()) grow(piece.size());
    char* const to = text_.data() + used_;
    if (piece.size() > kShort) {
      std::memcpy(to, piece.data(), piece.size());
    } else {
      for (size_t i = 0; i < piece.size(); ++i) to[i] = piece[i];
    }
    used_ += piece.size();
    return *this;
  }
  void number(int64_t n) {
    constexpr size_t kMost = 20;  // characters
    if (text_.size() - used_ < kMost) grow(kMost);
    char* const to = text_.data() + used_;
    used_ += static_cast<size_t>(std::to_chars(to, to + kMost, n).ptr - to);
  }
  // A JSON string, escaped as nlohmann/json does it; bytes that are no UTF-8 become U+FFFD.
  void quote(std::string_view text);

  std::string take() {
    text_.resize(used_);
    return std::move(text_);
  }

 private:
  static constexpr size_t kShort = 32;  // bytes that are copied sooner than memcpy is called
  void grow(size_t needed) { text_.resize(2 * text_.size() + needed); }

  std::string text_;
  size_t used_ = 0;
};

}  // namespace irplan
