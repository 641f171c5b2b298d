#include "irplan/dtype.h"

namespace irplan {
namespace {

// In the order of DType.
constexpr DTypeInfo kTable[kDTypes] = {
    // name    elements  bytes  floats
    {"f32", 1, 4, true},     {"f16", 1, 2, true},    {"bf16", 1, 2, true},   {"f8e4m3", 1, 1, true},
    {"f8e5m2", 1, 1, true},  {"i32", 1, 4, false},   {"i64", 1, 8, false},   {"i8", 1, 1, false},
    {"bool", 1, 1, false},   {"q8_0", 32, 34, true}, {"q4_0", 32, 18, true}, {"i4g128", 128, 66, true},
    {"mxfp4", 32, 17, true},
};

}  // namespace

const DTypeInfo& info(DType dtype) { return kTable[static_cast<int>(dtype)]; }

std::optional<DType> find_dtype(std::string_view name) {
  for (int i = 0; i < kDTypes; ++i) {
    if (name == kTable[i].name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::optional<DType> find_config_dtype(std::string_view name) {
  constexpr std::string_view kTorch = "torch.";  // as older tools write them
  if (name.substr(0, kTorch.size()) == kTorch) name.remove_prefix(kTorch.size());
  if (name == "float32") return DType::F32;
  if (name == "float16") return DType::F16;
  if (name == "bfloat16") return DType::BF16;
  return std::nullopt;
}

}  // namespace irplan
