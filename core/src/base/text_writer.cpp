#include "base/text_writer.h"

#include <nlohmann/json.hpp>

namespace irplan {

void TextWriter::quote(std::string_view text) {
  const size_t most = 2 * text.size() + 2;  // every character with a backslash
  if (text_.size() - used_ < most) grow(most);
  char* to = text_.data() + used_;
  *to++ = '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '"' || byte == '\\' || byte == '\n') {
      *to++ = '\\';
      *to++ = c == '\n' ? 'n' : c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      *to++ = c;
    } else {
      *this +=
          nlohmann::ordered_json(text).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
      return;
    }
  }
  *to++ = '"';
  used_ = static_cast<size_t>(to - text_.data());
}

}  // namespace irplan
