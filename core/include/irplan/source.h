// A program's text with its name, and places in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace irplan {

// A half-open range of bytes in a source text.
struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;

  friend bool operator==(const Span&, const Span&) = default;
};

// A place as people and editors count it: both from 1; columns count bytes.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
};

// What the text of an option is called where a place in it is shown.
constexpr const char* kCommandLine = "command line";

class SourceText {
 public:
  SourceText() : SourceText("", "") {}
  // `name` is what diagnostics and plans show; only its base name is kept, so that no path leaks into either.
  SourceText(std::string_view name, std::string text);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  std::string_view slice(Span span) const;
  LineColumn locate(uint32_t offset) const;
  // The line's text without its newline; empty past the end.
  std::string_view line(uint32_t number) const;
  uint32_t line_count() const { return static_cast<uint32_t>(starts_.size()); }

 private:
  std::string name_;
  std::string text_;
  std::vector<uint32_t> starts_;  // offset of each line's first byte
};

}  // namespace irplan
