// A file's bytes, in place.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "irplan/result.h"

namespace irplan {

// A file's bytes, mapped for reading; those of a pipe are read to its end. Movable, not copyable.
class MappedFile {
 public:
  static constexpr size_t kMaxPiped = size_t{4} << 30;

  // None with the reason, which names the file.
  static Result<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::byte* data() const;
  size_t size() const;
  std::span<const std::byte> bytes() const { return {data(), size()}; }
  const std::string& path() const;
  // The pages that lie wholly inside of these bytes need not stay in memory: they come back when they are
  // read.
  void let_go(std::span<const std::byte> part) const;
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

}  // namespace irplan
