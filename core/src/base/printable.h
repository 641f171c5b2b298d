// Text of a stranger, made harmless for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace irplan {

// Bytes of the character that starts at text[i] where it is printable UTF-8; 0 for what steers a terminal or
// misleads its reader: C0, DEL and C1 controls, line separators, marks that turn the direction of a text,
// bytes that are no UTF-8.
size_t printable_length(std::string_view text, size_t i);

enum class Lines {
  One,       // breaks and tabs are replaced, too
  Many,      // they stay
  Coloured,  // and so do colours, `ESC [ numbers m`
};

// Each byte of what is not printable becomes `?`.
std::string printable(std::string_view text, Lines lines = Lines::One);

}  // namespace irplan
