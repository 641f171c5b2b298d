// Element types and the one table of their sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace irplan {

enum class DType : uint8_t { F32, F16, BF16, F8E4M3, F8E5M2, I32, I64, I8, Bool, Q8_0, Q4_0, I4G128, MXFP4 };
constexpr int kDTypes = 13;

struct DTypeInfo {
  const char* name;
  int elements;  // per block; 1 unless it is a block type
  int bytes;     // per block
  bool floats;   // holds real numbers (block types do)
};

const DTypeInfo& info(DType dtype);
inline const char* name(DType dtype) { return info(dtype).name; }
inline bool is_block(DType dtype) { return info(dtype).elements > 1; }
inline bool is_float(DType dtype) { return info(dtype).floats; }
// Bytes of so many elements, a multiple of a block's.
inline int64_t stored_bytes(DType dtype, int64_t elements) {
  return elements / info(dtype).elements * info(dtype).bytes;
}
// "f16"; none where no dtype has the name.
std::optional<DType> find_dtype(std::string_view name);
// The spelling of configs: "float32", "float16", "bfloat16", "torch.float16".
std::optional<DType> find_config_dtype(std::string_view name);

}  // namespace irplan
