#include "files/growing_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "files/new_file.h"
#include "files/paths.h"

namespace irplan {
namespace {

// A new, empty file under the name of the old; -1 with errno.
int replace(const std::string& path) {
  auto empty = NewFile::beside(path);
  if (!empty) return -1;
  const int file = ::fcntl(empty->descriptor(), F_DUPFD_CLOEXEC, 0);
  const int reason = file < 0 ? errno : empty->take_name();
  if (!reason) return file;
  if (file >= 0) ::close(file);
  errno = reason;
  return -1;
}

}  // namespace

Result<GrowingFile> GrowingFile::open(const std::string& path) {
  const int file = is_device(path) ? ::open(path.c_str(), O_WRONLY | O_CLOEXEC) : replace(path);
  if (file < 0) return Error{"cannot write " + path + ": " + std::strerror(errno)};
  return GrowingFile(path, file);
}

GrowingFile::GrowingFile(GrowingFile&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}

GrowingFile& GrowingFile::operator=(GrowingFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  return *this;
}

GrowingFile::~GrowingFile() {
  if (file_ >= 0) ::close(file_);
}

std::optional<std::string> GrowingFile::add(std::string_view lines) {
  if (file_ < 0 || lines.empty()) return std::nullopt;
  struct stat before {};
  const bool regular = ::fstat(file_, &before) == 0 && S_ISREG(before.st_mode);
  const int reason = write_all(file_, lines);
  if (!reason) return std::nullopt;
  // A full disk takes a part: half a line would hurt who reads the lines before it.
  if (regular && ::ftruncate(file_, before.st_size) != 0) ::lseek(file_, 0, SEEK_END);
  ::close(std::exchange(file_, -1));
  return "cannot write " + path_ + ": " + std::strerror(reason) + "; it ends with what was written before";
}

}  // namespace irplan
