#include "irplan/source.h"

#include <algorithm>

namespace irplan {

SourceText::SourceText(std::string_view name, std::string text) : text_(std::move(text)) {
  const size_t slash = name.find_last_of("/\\");
  name_ = std::string(slash == std::string_view::npos ? name : name.substr(slash + 1));
  starts_.push_back(0);
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') starts_.push_back(static_cast<uint32_t>(i + 1));
  }
}

std::string_view SourceText::slice(Span span) const {
  const size_t begin = std::min<size_t>(span.begin, text_.size());
  const size_t end = std::clamp<size_t>(span.end, begin, text_.size());
  return std::string_view(text_).substr(begin, end - begin);
}

LineColumn SourceText::locate(uint32_t offset) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const auto line = static_cast<uint32_t>(after - starts_.begin());
  return {line, offset - starts_[line - 1] + 1};
}

std::string_view SourceText::line(uint32_t number) const {
  if (number < 1 || number > starts_.size()) return {};
  const uint32_t begin = starts_[number - 1];
  size_t end = number < starts_.size() ? starts_[number] - 1 : text_.size();
  if (end > begin && text_[end - 1] == '\r') --end;
  return std::string_view(text_).substr(begin, end - begin);
}

}  // namespace irplan
