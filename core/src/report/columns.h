// Text in columns of a fixed width, as a terminal shows them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace irplan::report {

// Columns that UTF-8 text takes; every character is one wide.
inline size_t shown_width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Padded with blanks at the end, never cut.
inline std::string left(std::string text, size_t width) {
  const size_t shown = shown_width(text);
  if (shown < width) text.append(width - shown, ' ');
  return text;
}

inline std::string right(const std::string& text, size_t width) {
  const size_t shown = shown_width(text);
  return shown < width ? std::string(width - shown, ' ') + text : text;
}

}  // namespace irplan::report
