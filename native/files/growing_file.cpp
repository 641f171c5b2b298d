#include "files/growing_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "files/file_uses.h"

namespace irplan {
namespace {

// A new, empty file under the name of the old; -1 with errno.
int replace(const std::string& target, mode_t mode) {
  const std::string part = target + "." + std::to_string(::getpid()) + ".new";
  const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, mode);
  if (file < 0) return -1;
  if (::rename(part.c_str(), target.c_str()) == 0) return file;
  const int reason = errno;
  ::unlink(part.c_str());
  ::close(file);
  errno = reason;
  return -1;
}

}  // namespace

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), std::min<size_t>(bytes.size(), size_t{1} << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

std::optional<GrowingFile> GrowingFile::open(const std::string& path, std::string* why) {
  const std::string target = link_target(path);
  struct stat status {};
  const bool there = ::stat(target.c_str(), &status) == 0;
  const bool device = there && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
  const int file = device ? ::open(target.c_str(), O_WRONLY | O_CLOEXEC)
                          : replace(target, there ? status.st_mode & 0777 : 0666);
  if (file < 0) return *why = "cannot write " + path + ": " + std::strerror(errno), std::nullopt;
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
