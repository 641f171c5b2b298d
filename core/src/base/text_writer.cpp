#include "base/text_writer.h"

#include <nlohmann/json.hpp>

namespace irplan {

// Whole runs at a time: little in a plan needs an escape.
void TextWriter::quote(std::string_view text) {
  const size_t before = used_;
  *this += '"';
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') continue;
    if (c != '"' && c != '\\' && c != '\n') {
      used_ = before;
      *this +=
          nlohmann::ordered_json(text).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
      return;
    }
    *this += text.substr(copied, i - copied);
    *this += '\\';
    *this += c == '\n' ? 'n' : static_cast<char>(c);
    copied = i + 1;
  }
  *this += text.substr(copied);
  *this += '"';
}

}  // namespace irplan
