#include "base/printable.h"

namespace irplan {
namespace {

unsigned char at(std::string_view text, size_t i) { return static_cast<unsigned char>(text[i]); }

// The code point of a well-formed sequence, with its length; 0 bytes where it is none (RFC 3629: no overlong
// forms, no surrogates, nothing above U+10FFFF).
char32_t decode(std::string_view text, size_t i, size_t* length) {
  const unsigned char first = at(text, i);
  *length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (first > 0xF4 || i + *length > text.size()) *length = 0;
  if (*length < 2) return first;
  char32_t code = first & (0x7F >> *length);
  for (size_t k = 1; k < *length; ++k) {
    const unsigned char next = at(text, i + k);
    if ((next & 0xC0) != 0x80) return *length = 0, 0;
    code = code << 6 | (next & 0x3F);
  }
  const char32_t least = *length == 2 ? 0x80 : *length == 3 ? 0x800 : 0x10000;
  if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) *length = 0;
  return code;
}

bool is_mark(char32_t code) {
  return code == 0x2028 || code == 0x2029 || code == 0x061C || code == 0x200E || code == 0x200F ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

// Bytes of a colour's sequence that starts at text[i]; 0 where none does.
size_t colour_length(std::string_view text, size_t i) {
  if (text.substr(i, 2) != "\x1b[") return 0;
  const size_t end = text.find_first_not_of("0123456789;", i + 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 - i : 0;
}

}  // namespace

size_t printable_length(std::string_view text, size_t i) {
  size_t length = 0;
  const char32_t code = decode(text, i, &length);
  const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  return control || is_mark(code) ? 0 : length;
}

std::string printable(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t length = printable_length(text, i);
    if (length == 0 && lines != Lines::One && (text[i] == '\n' || text[i] == '\t')) length = 1;
    if (length == 0 && lines == Lines::Coloured) length = colour_length(text, i);
    if (length == 0) out += '?';
    out.append(text, i, length);
    i += length ? length : 1;
  }
  return out;
}

}  // namespace irplan
