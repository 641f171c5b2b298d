#include "files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "files/new_file.h"
#include "files/read.h"

namespace irplan {

// Linked, so that a signal handler finds the file whose bytes are gone.
struct MappedFile::Mapping {
  std::string path, shown;  // as it is opened, and as a terminal may show it
  const std::byte* data = nullptr;
  size_t size = 0;
  struct stat opened {};
  std::filesystem::file_time_type written;
  std::string piped;  // the bytes, where they are of no file
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
    tell(m->shown.c_str());
    tell(" can no longer be read: it was cut while it was in use, or its disk failed\n");
    remove_new_files();
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

Result<MappedFile> MappedFile::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  auto mapping = std::make_unique<Mapping>();
  struct stat& status = mapping->opened;
  int error = file < 0 || ::fstat(file, &status) != 0 ? errno : 0;
  if (!error && S_ISDIR(status.st_mode)) error = EISDIR;
  const bool pipe = !error && !S_ISREG(status.st_mode);
  void* data = nullptr;
  if (!error && !pipe && status.st_size > 0) {
    data = ::mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) error = errno;
  }
  if (pipe) error = read_all(file, kMaxPiped + 1, mapping->piped);
  if (file >= 0) ::close(file);
  if (!error && mapping->piped.size() > kMaxPiped) error = EFBIG;
  if (error) {
    return Error{"cannot read " + path + ": " + std::strerror(error)};
  }
  mapping->path = path;
  mapping->shown = path;
  for (char& c : mapping->shown) {
    if (static_cast<signed char>(c) < 0x20 || c == 0x7F)
      c = '?';  // controls; bytes beyond ASCII could be some
  }
  mapping->data = static_cast<const std::byte*>(data);
  mapping->size = static_cast<size_t>(status.st_size);
  if (pipe) {
    mapping->data = reinterpret_cast<const std::byte*>(mapping->piped.data());
    mapping->size = mapping->piped.size();
    return MappedFile(std::move(mapping));
  }
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
  if (mapping_->data && mapping_->piped.empty())
    ::munmap(const_cast<std::byte*>(mapping_->data), mapping_->size);
}

const std::byte* MappedFile::data() const { return mapping_->data; }
const std::string& MappedFile::path() const { return mapping_->path; }
size_t MappedFile::size() const { return mapping_->size; }

void MappedFile::let_go(std::span<const std::byte> part) const {
  if (!mapping_->piped.empty() || part.data() < data() || part.data() + part.size() > data() + size()) return;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(part.data() + part.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

bool MappedFile::changed() const {
  if (!S_ISREG(mapping_->opened.st_mode)) return false;  // its bytes are here
  struct stat now {};
  const struct stat& then = mapping_->opened;
  // Removed, or another took its name: the bytes stay as long as they are mapped.
  if (::stat(mapping_->path.c_str(), &now) != 0) return false;
  if (now.st_ino != then.st_ino || now.st_dev != then.st_dev) return false;
  std::error_code unknown;
  return now.st_size != then.st_size ||
         std::filesystem::last_write_time(mapping_->path, unknown) != mapping_->written;
}

}  // namespace irplan
