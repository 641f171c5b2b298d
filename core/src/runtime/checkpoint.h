// The tensors of one file or of many, by name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "irplan/result.h"
#include "runtime/safetensors.h"

namespace irplan {

class Checkpoint {
 public:
  // `path` is what messages call it. Whoever made the tensors keeps their bytes.
  Checkpoint(std::string path, std::vector<NamedTensor> tensors);

  // The tensor of this name, else the only one whose name ends in `.` + name. Null where there is none; fails
  // where several end so, and names two of them.
  Result<const NamedTensor*> find(std::string_view name) const;
  const std::string& path() const { return path_; }
  std::vector<std::string> names() const;
  size_t size() const { return tensors_.size(); }

 private:
  std::string path_;
  std::vector<NamedTensor> tensors_;  // by name
  std::vector<uint32_t>
      by_end_;  // of tensors_, by name read from its end: those of one ending are neighbours
};

// What a folder's model.safetensors.index.json says: which of its files holds which tensor.
struct CheckpointIndex {
  static constexpr size_t kMaxBytes = size_t{100} << 20;
  static constexpr size_t kMaxShards = 10'000;

  // None with the reason: no index, a name twice, a file that is none of the folder's own.
  static Result<CheckpointIndex> read(std::string_view json);

  std::vector<std::string> shards;                        // names of files
  std::vector<std::pair<std::string, uint32_t>> tensors;  // by name, each with its shard
};

}  // namespace irplan
