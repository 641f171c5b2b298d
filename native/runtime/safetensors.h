// Checkpoints in safetensors files: eight bytes of header length, a JSON header, and the tensors' bytes one
// after another.
//
//     [u64 n][n bytes of JSON: {"w": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}, …}][12 bytes
//     of w]…
//
// A file is checked whole before anything in it is used: types, sizes by checked multiplication, and offsets
// that cover the file without gaps or overlap.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/mapped_file.h"
#include "runtime/stored.h"

namespace irplan {

class SafetensorsFile {
 public:
  static constexpr size_t kMaxHeader = size_t{100} << 20;
  static constexpr size_t kMaxRank = 32;

  // None with the reason, which names the file.
  static std::optional<SafetensorsFile> open(const std::string& path, std::string* why);
  const std::string& path() const { return path_; }
  const std::map<std::string, StoredTensor, std::less<>>& tensors() const { return tensors_; }
  const MappedFile& file() const { return file_; }

 private:
  SafetensorsFile(std::string path, MappedFile file) : path_(std::move(path)), file_(std::move(file)) {}
  bool read_header(std::string* why);

  std::string path_;
  MappedFile file_;
  std::map<std::string, StoredTensor, std::less<>> tensors_;
};

// One file, or the files that a folder's model.safetensors.index.json lists, else its model.safetensors.
class Checkpoint {
 public:
  static std::optional<Checkpoint> open(const std::string& path, std::string* why);

  // The tensor of this name, else the only one whose name ends in `.` + name. Null where there is none; where
  // several end so, `why` names two of them.
  const StoredTensor* find(std::string_view name, std::string* stored_name, std::string* why) const;
  const std::string& path() const { return path_; }
  std::vector<std::string> names() const;
  size_t size() const { return tensors_.size(); }
  // Which of its files is another since it was opened; none where all are as they were.
  std::optional<std::string> changed() const;

 private:
  bool read_index(const std::string& folder, const std::string& index, std::string* why);
  void add(std::string name, const StoredTensor& tensor);

  std::string path_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, StoredTensor, std::less<>> tensors_;
  std::map<std::string, std::vector<std::string>, std::less<>>
      by_suffix_;  // "wte.weight" -> "transformer.wte.weight"
};

}  // namespace irplan
