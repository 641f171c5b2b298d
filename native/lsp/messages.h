// Messages of the Language Server Protocol over a pair of files: a header with Content-Length, then so many
// bytes of JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace irplan::lsp {

constexpr size_t kMostBytes = size_t{64} << 20;   // of a message; a longer one is read over
constexpr size_t kMostHeader = size_t{16} << 10;  // of a line of a header

// What was read: a message's JSON, or why the next bytes are none. After a fault reading goes on.
struct Incoming {
  std::string body;
  std::string fault;  // empty: there is a body
};

class MessageReader {
 public:
  explicit MessageReader(int file) : file_(file) {}
  // None at the end of the file.
  std::optional<Incoming> next();

 private:
  bool fill();  // more bytes; false at the end
  std::optional<std::string> line();
  Incoming skip(std::string_view digits);

  int file_;
  std::string buffer_;
  size_t at_ = 0;  // of the buffer: what is read
};

// False where the other side is gone.
bool write_message(int file, std::string_view body);

}  // namespace irplan::lsp
