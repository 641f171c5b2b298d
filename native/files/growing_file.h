// A file that is written as things happen: what was added stays, whatever ends the command.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "irplan/result.h"

namespace irplan {

class GrowingFile {
 public:
  // Takes the file's name at once, with an empty new file: who reads an older one, or another run that writes
  // one of this name, keeps it whole. Devices and pipes are opened as they are. None with the reason, which
  // names the file.
  static Result<GrowingFile> open(const std::string& path);
  GrowingFile(GrowingFile&& other) noexcept;
  GrowingFile& operator=(GrowingFile&& other) noexcept;
  ~GrowingFile();

  // Whole lines, which are there for every reader when it returns. The reason where they cannot be written;
  // then none of them is there, and nothing more is written.
  std::optional<std::string> add(std::string_view lines);

 private:
  GrowingFile(std::string path, int file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  int file_ = -1;
};

}  // namespace irplan
