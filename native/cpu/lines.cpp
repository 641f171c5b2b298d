#include "cpu/lines.h"

namespace irplan::cpu {
namespace {

template <class T>
T stored(const std::byte* from, int64_t i) {
  T value;
  std::memcpy(&value, from + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

}  // namespace

const float* load_line(const Tensor& t, int64_t element, int64_t n, int64_t step, float* to) {
  switch (t.dtype) {
    case DType::F32: {
      const auto* from = reinterpret_cast<const float*>(t.data) + element;
      if (step == 1) return from;
      for (int64_t i = 0; i < n; ++i) to[i] = from[i * step];
      return to;
    }
    case DType::BF16: {
      const std::byte* from = t.data + 2 * element;
      for (int64_t i = 0; i < n; ++i) to[i] = from_bf16(stored<uint16_t>(from, i * step));
      return to;
    }
    case DType::F16: {
      const std::byte* from = t.data + 2 * element;
      for (int64_t i = 0; i < n; ++i) to[i] = from_f16(stored<uint16_t>(from, i * step));
      return to;
    }
    default: break;
  }
  for (int64_t i = 0; i < n; ++i) to[i] = load_float(t.dtype, t.data, element + i * step);
  return to;
}

void store_line(const Tensor& t, int64_t element, int64_t n, int64_t step, const float* from) {
  const DTypeInfo& type = info(t.dtype);
  if (type.elements > 1) return quantise(t.dtype, from, n, t.data + element / type.elements * type.bytes);
  if (t.dtype == DType::F32 && step == 1) {
    if (n > 0) std::memcpy(t.data + 4 * element, from, static_cast<size_t>(n) * 4);
    return;
  }
  for (int64_t i = 0; i < n; ++i) store_float(t.dtype, t.data, element + i * step, from[i]);
}

}  // namespace irplan::cpu
