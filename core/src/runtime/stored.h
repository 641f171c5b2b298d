// Tensors as files hold them: an element type, extents, and little-endian row-major bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "irplan/dtype.h"
#include "ops/op.h"

namespace irplan {

enum class Stored : uint8_t {
  F64,
  F32,
  F16,
  BF16,
  F8E4M3,
  F8E5M2,
  F8E8M0,
  I64,
  I32,
  I16,
  I8,
  U64,
  U32,
  U16,
  U8,
  Bool
};

struct StoredInfo {
  const char* name;  // as safetensors spells it
  const char* npy;   // as npy spells it; null where it has no such type
  int bytes;
  bool floats;
};
const StoredInfo& info(Stored type);
std::optional<Stored> find_stored(std::string_view safetensors_name);
std::optional<Stored> find_npy(std::string_view descr);
// The type with the same bytes as a dtype that is no block type.
std::optional<Stored> stored_as(DType dtype);

// A tensor in a file's bytes; whoever made it keeps them.
struct StoredTensor {
  Stored type = Stored::F32;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;
  size_t bytes = 0;
  int64_t count() const;
};

// Elements [begin, begin + count) as floats; integers convert.
void read_floats(const StoredTensor& tensor, int64_t begin, int64_t count, float* out);
// One element as an integer; floats truncate.
int64_t read_int(const StoredTensor& tensor, int64_t element);
// One element as a person reads it: "0.25", "-7".
std::string number_text(const StoredTensor& tensor, int64_t element);
// The whole tensor as a reference array.
HostArray to_array(const StoredTensor& tensor);

// "[2, 3]"
std::string text(const std::vector<int64_t>& shape);
// The product of extents, or none where it is negative or exceeds int64.
std::optional<int64_t> checked_count(const std::vector<int64_t>& shape);

}  // namespace irplan
