#include "lsp/messages.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace irplan::lsp {

bool MessageReader::fill() {
  constexpr size_t kPiece = size_t{1} << 16;
  if (at_ > 0) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  const size_t used = buffer_.size();
  buffer_.resize(used + kPiece);
  ssize_t n = 0;
  do {
    n = ::read(file_, buffer_.data() + used, kPiece);
  } while (n < 0 && errno == EINTR);
  buffer_.resize(used + static_cast<size_t>(std::max<ssize_t>(n, 0)));
  return n > 0;
}

// A line without its end; none at the end of the file. What is too long for a header is cut.
std::optional<std::string> MessageReader::line() {
  std::string out;
  while (true) {
    const size_t end = buffer_.find('\n', at_);
    const size_t upto = std::min(end, buffer_.size());
    if (out.size() < kMostHeader) out.append(buffer_, at_, std::min(upto - at_, kMostHeader - out.size()));
    if (end != std::string::npos) {
      at_ = end + 1;
      if (!out.empty() && out.back() == '\r') out.pop_back();
      return out;
    }
    at_ = buffer_.size();
    if (!fill()) return std::nullopt;
  }
}

// Reads over a message that is too long to keep.
Incoming MessageReader::skip(std::string_view digits) {
  uint64_t left = 0;
  for (const char c : digits)
    left = left > UINT64_MAX / 10 - 10 ? UINT64_MAX : left * 10 + static_cast<uint64_t>(c - '0');
  do {
    const uint64_t here = std::min<uint64_t>(left, buffer_.size() - at_);
    at_ += static_cast<size_t>(here);
    left -= here;
  } while (left > 0 && fill());
  return {"", "a message of " + std::string(digits.substr(0, 20)) + " bytes is longer than the " +
                  std::to_string(kMostBytes >> 20) + " MiB that are read"};
}

std::optional<Incoming> MessageReader::next() {
  std::optional<std::string> length;
  bool other = false;
  while (true) {
    const auto header = line();
    if (!header) return std::nullopt;
    if (header->empty()) {
      if (length) break;
      if (other) return Incoming{"", "a header without Content-Length"};
      continue;
    }
    other = true;
    constexpr std::string_view kName = "content-length:";
    std::string name = header->substr(0, kName.size());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    if (name != kName) continue;
    const size_t first = std::min(header->find_first_not_of(" \t", kName.size()), header->size());
    const size_t last = header->find_last_not_of(" \t") + 1;
    length = header->substr(first, std::max(first, last) - first);
  }
  if (length->empty() || length->find_first_not_of("0123456789") != std::string::npos)
    return Incoming{"", "Content-Length is no number"};
  constexpr size_t kMostDigits = 9;
  const size_t zeros = std::min(length->find_first_not_of('0'), length->size());
  const std::string digits = length->substr(zeros);
  if (digits.size() > kMostDigits || (!digits.empty() && std::stoul(digits) > kMostBytes))
    return skip(digits);
  const size_t size = digits.empty() ? 0 : std::stoul(digits);
  while (buffer_.size() - at_ < size) {
    if (!fill()) return std::nullopt;
  }
  Incoming out{buffer_.substr(at_, size), ""};
  at_ += size;
  return out;
}

bool write_message(int file, std::string_view body) {
  std::string all = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  all += body;
  for (size_t at = 0; at < all.size();) {
    const ssize_t n = ::write(file, all.data() + at, all.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<size_t>(n);
  }
  return true;
}

}  // namespace irplan::lsp
