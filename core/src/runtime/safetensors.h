// Tensors in a safetensors file: eight bytes of header length, a JSON header, and the tensors' bytes one
// after another.
//
//     [u64 n][n bytes of JSON: {"w": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}, …}][12 bytes
//     of w]…
//
// A file is checked whole before anything in it is used: types, sizes by checked multiplication, and offsets
// that cover the file without gaps or overlap. In one pass over the header and n log n over its tensors.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "irplan/result.h"
#include "runtime/stored.h"

namespace irplan {

constexpr size_t kShownName = 200;  // bytes of a tensor's or a file's name in a message

struct NamedTensor {
  std::string name;
  StoredTensor tensor;
};

class Safetensors {
 public:
  static constexpr size_t kMaxHeader = size_t{100} << 20;  // bytes; the format's own limit
  static constexpr size_t kMaxTensors = 1'000'000;
  static constexpr size_t kMaxName = 4096;  // bytes
  static constexpr size_t kMaxRank = 32;
  static constexpr size_t kMaxDepth = 8;  // of the header

  // None with the reason. The bytes stay where they are as long as its tensors are used.
  static Result<Safetensors> read(std::span<const std::byte> file);

  const StoredTensor* find(std::string_view name) const;
  const std::vector<NamedTensor>& tensors() const { return tensors_; }  // by name

 private:
  std::vector<NamedTensor> tensors_;
};

}  // namespace irplan
