// Files as the runtime needs them: read in place, and written whole or not at all.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace irplan {

// A file's bytes, mapped for reading. Movable, not copyable.
class MappedFile {
 public:
  // None with the reason, which names the file.
  static std::optional<MappedFile> open(const std::string& path, std::string* why);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::byte* data() const;
  size_t size() const;
  std::string_view text() const { return {reinterpret_cast<const char*>(data()), size()}; }
  // Whether its bytes may be others by now. A file that took its name since is none of them.
  bool changed() const;

  struct Mapping;

 private:
  explicit MappedFile(std::unique_ptr<Mapping> mapping);
  std::unique_ptr<Mapping> mapping_;
};

// Ends the process with a message and exit code 1 where a mapped file loses bytes that are being read: there
// is no value to return then.
void watch_mapped_files();

// The whole file, or the reason why not. Files above `limit` bytes are refused.
std::optional<std::string> read_text(const std::string& path, size_t limit, std::string* why);

bool is_folder(const std::string& path);
bool is_file(const std::string& path);

struct FileToWrite {
  std::string path;
  std::string bytes;
};

// Why a file could not be written to this path, as far as that shows before the work begins.
std::optional<std::string> cannot_write(const std::string& path);
// Each through a new file beside its target and a rename, once all are complete: either all are there
// afterwards, or none is touched and nothing is left behind. Devices and pipes take the bytes directly. The
// reason names the file.
std::optional<std::string> write_files(const std::vector<FileToWrite>& files);

// Removes the new files of a write_files that a signal interrupts; may be called from a signal handler.
void remove_unfinished_files();

}  // namespace irplan
