// Arrays in numpy's .npy files (versions 1 and 2, little-endian, C order).
#pragma once

#include <optional>
#include <string>

#include "files/mapped_file.h"
#include "runtime/stored.h"

namespace irplan {

class NpyFile {
 public:
  // None with the reason, which names the file: what is cut, junk, of a type or order that is not read.
  static std::optional<NpyFile> open(const std::string& path, std::string* why);
  const StoredTensor& tensor() const { return tensor_; }

 private:
  explicit NpyFile(MappedFile file) : file_(std::move(file)) {}
  MappedFile file_;
  StoredTensor tensor_;
};

// The bytes of a file that holds the array: of f16 as f2, of every other float as f4, of integers as they
// are.
std::string npy_bytes(const HostArray& array, DType dtype);

}  // namespace irplan
