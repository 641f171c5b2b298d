#include "runtime/files.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace irplan {
namespace {

std::string reason(const char* what, const std::string& path, int error) {
  return std::string(what) + " " + path + ": " + std::strerror(error);
}

// New files that are not renamed yet, as a signal handler can read them.
constexpr size_t kMaxUnfinished = 64;
char unfinished[kMaxUnfinished][PATH_MAX];
volatile size_t unfinished_count = 0;

void remember(const std::string& path) {
  if (unfinished_count >= kMaxUnfinished || path.size() >= PATH_MAX) return;
  std::memcpy(unfinished[unfinished_count], path.c_str(), path.size() + 1);
  unfinished_count = unfinished_count + 1;
}

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), std::min<size_t>(bytes.size(), size_t{1} << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// A link is followed, so that writing through it leaves it one.
std::string resolved(const std::string& path) {
  char buffer[PATH_MAX];
  return ::realpath(path.c_str(), buffer) ? buffer : path;
}

bool is_device(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

std::optional<std::string> write_device(const FileToWrite& file) {
  const int to = ::open(file.path.c_str(), O_WRONLY | O_CLOEXEC);
  if (to < 0) return reason("cannot write", file.path, errno);
  int error = write_all(to, file.bytes);
  if (::close(to) != 0 && !error) error = errno;
  if (error) return reason("cannot write", file.path, error);
  return std::nullopt;
}

struct NewFile {
  std::string target;
  std::string part;
};

std::optional<std::string> write_beside(const FileToWrite& file, size_t number, std::vector<NewFile>& done) {
  const std::string target = resolved(file.path);
  const std::string name = target.substr(target.rfind('/') + 1);
  const std::string part = folder_of(target) + "/." + name.substr(0, 200) + "." + std::to_string(::getpid()) +
                           "." + std::to_string(number) + ".new";
  struct stat status {};
  const mode_t mode = ::stat(target.c_str(), &status) == 0 ? status.st_mode & 0777 : 0666;
  remember(part);
  const int to = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (to < 0) return reason("cannot write", file.path, errno);
  done.push_back({target, part});
  int error = write_all(to, file.bytes);
  if (::close(to) != 0 && !error) error = errno;
  if (error) return reason("cannot write", file.path, error);
  return std::nullopt;
}

}  // namespace

// Linked, so that a signal handler finds the file whose bytes are gone.
struct MappedFile::Mapping {
  std::string path;
  const std::byte* data = nullptr;
  size_t size = 0;
  struct stat opened {};
  std::filesystem::file_time_type written;
  Mapping* next = nullptr;
};

namespace {

MappedFile::Mapping* mappings = nullptr;

void tell(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

void bytes_are_gone(int, siginfo_t* fault, void*) {
  const auto* at = static_cast<const std::byte*>(fault->si_addr);
  for (const MappedFile::Mapping* m = mappings; m; m = m->next) {
    if (at < m->data || at >= m->data + m->size) continue;
    tell("error: ");
    tell(m->path.c_str());
    tell(" can no longer be read: it was cut while it was in use, or its disk failed\n");
    remove_unfinished_files();
    ::_exit(1);
  }
  ::signal(SIGBUS, SIG_DFL);  // another fault: it ends the process as it would have
}

}  // namespace

void watch_mapped_files() {
  struct sigaction action {};
  action.sa_sigaction = bytes_are_gone;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

std::optional<MappedFile> MappedFile::open(const std::string& path, std::string* why) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  auto mapping = std::make_unique<Mapping>();
  struct stat& status = mapping->opened;
  int error = file < 0 || ::fstat(file, &status) != 0 ? errno : 0;
  if (!error && S_ISDIR(status.st_mode)) error = EISDIR;
  void* data = nullptr;
  if (!error && status.st_size > 0) {
    data = ::mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) error = errno;
  }
  if (file >= 0) ::close(file);
  if (error) {
    *why = reason("cannot read", path, error);
    return std::nullopt;
  }
  mapping->path = path;
  mapping->data = static_cast<const std::byte*>(data);
  mapping->size = static_cast<size_t>(status.st_size);
  std::error_code unknown;  // then it is the earliest time, before and after
  mapping->written = std::filesystem::last_write_time(path, unknown);
  return MappedFile(std::move(mapping));
}

MappedFile::MappedFile(std::unique_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {
  mapping_->next = std::exchange(mappings, mapping_.get());
}
MappedFile::MappedFile(MappedFile&& other) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!mapping_) return;
  Mapping** link = &mappings;
  while (*link != mapping_.get()) link = &(*link)->next;
  *link = mapping_->next;
  if (mapping_->data) ::munmap(const_cast<std::byte*>(mapping_->data), mapping_->size);
}

const std::byte* MappedFile::data() const { return mapping_->data; }
size_t MappedFile::size() const { return mapping_->size; }

bool MappedFile::changed() const {
  struct stat now {};
  const struct stat& then = mapping_->opened;
  // Removed, or another took its name: the bytes stay as long as they are mapped.
  if (::stat(mapping_->path.c_str(), &now) != 0) return false;
  if (now.st_ino != then.st_ino || now.st_dev != then.st_dev) return false;
  std::error_code unknown;
  return now.st_size != then.st_size ||
         std::filesystem::last_write_time(mapping_->path, unknown) != mapping_->written;
}

std::optional<std::string> read_text(const std::string& path, size_t limit, std::string* why) {
  const bool standard = path == "-";
  const int file = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const std::string shown = standard ? "standard input" : path;
  int error = file < 0 ? errno : 0;
  std::string out;
  size_t used = 0;
  while (!error && used <= limit) {
    if (out.size() == used) out.resize(std::min(limit + 1, std::max<size_t>(1 << 16, used * 2)));
    const ssize_t n = ::read(file, out.data() + used, out.size() - used);
    if (n < 0 && errno != EINTR) error = errno;
    if (n == 0) break;
    if (n > 0) used += static_cast<size_t>(n);
  }
  if (file >= 0 && !standard) ::close(file);
  out.resize(used);
  if (error) {
    *why = reason("cannot read", shown, error);
    return std::nullopt;
  }
  if (used > limit) {
    *why = shown + " is larger than the " + std::to_string(limit >> 20) + " MiB that are read";
    return std::nullopt;
  }
  return out;
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

std::optional<std::string> cannot_write(const std::string& path) {
  if (path.empty()) return "an output's file has no name";
  if (is_folder(path)) return reason("cannot write", path, EISDIR);
  if (is_device(path)) return std::nullopt;
  const std::string folder = folder_of(resolved(path));
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return reason("cannot write", path, errno);
  return std::nullopt;
}

std::optional<std::string> write_files(const std::vector<FileToWrite>& files) {
  std::optional<std::string> failure;
  std::vector<NewFile> parts;
  for (size_t i = 0; i < files.size() && !failure; ++i) {
    failure = is_device(files[i].path) ? write_device(files[i]) : write_beside(files[i], i, parts);
  }
  for (const NewFile& file : parts) {
    if (!failure && ::rename(file.part.c_str(), file.target.c_str()) != 0)
      failure = reason("cannot write", file.target, errno);
    if (failure) ::unlink(file.part.c_str());
  }
  unfinished_count = 0;
  return failure;
}

void remove_unfinished_files() {
  for (size_t i = 0; i < unfinished_count; ++i) ::unlink(unfinished[i]);
}

}  // namespace irplan
