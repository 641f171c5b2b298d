// Stored numbers of every dtype, one at a time.
#include <cstring>

#include "ops/float_formats.h"
#include "reference/blocks.h"
#include "reference/executor.h"

namespace irplan {
namespace {

template <class T>
T read(const std::byte* base, int64_t element) {
  T value;
  std::memcpy(&value, base + element * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

template <class T>
void write(std::byte* base, int64_t element, T value) {
  std::memcpy(base + element * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
}

}  // namespace

float load_float(DType dtype, const std::byte* base, int64_t element) {
  switch (dtype) {
    case DType::F32: return read<float>(base, element);
    case DType::F16: return from_f16(read<uint16_t>(base, element));
    case DType::BF16: return from_bf16(read<uint16_t>(base, element));
    case DType::F8E4M3: return from_small(kF8E4M3, read<uint8_t>(base, element));
    case DType::F8E5M2: return from_small(kF8E5M2, read<uint8_t>(base, element));
    case DType::I32:
    case DType::I64:
    case DType::I8:
    case DType::Bool: return static_cast<float>(load_int(dtype, base, element));
    default: break;
  }
  const DTypeInfo& block = info(dtype);
  return block_value(dtype, base + element / block.elements * block.bytes,
                     static_cast<int>(element % block.elements));
}

void store_float(DType dtype, std::byte* base, int64_t element, float value) {
  switch (dtype) {
    case DType::F32: return write(base, element, value);
    case DType::F16: return write(base, element, to_f16(value));
    case DType::BF16: return write(base, element, to_bf16(value));
    case DType::F8E4M3: return write(base, element, static_cast<uint8_t>(to_small(kF8E4M3, value)));
    case DType::F8E5M2: return write(base, element, static_cast<uint8_t>(to_small(kF8E5M2, value)));
    default: return;  // integers are not floats; blocks are written whole, by quantise
  }
}

int64_t load_int(DType dtype, const std::byte* base, int64_t element) {
  switch (dtype) {
    case DType::I64: return read<int64_t>(base, element);
    case DType::I32: return read<int32_t>(base, element);
    case DType::I8: return read<int8_t>(base, element);
    case DType::Bool: return read<uint8_t>(base, element) != 0;
    default: return 0;
  }
}

void store_int(DType dtype, std::byte* base, int64_t element, int64_t value) {
  switch (dtype) {
    case DType::I64: return write(base, element, value);
    case DType::I32: return write(base, element, static_cast<int32_t>(static_cast<uint32_t>(value)));
    case DType::I8: return write(base, element, static_cast<int8_t>(static_cast<uint8_t>(value)));
    case DType::Bool: return write(base, element, static_cast<uint8_t>(value != 0));
    default: return;
  }
}

void quantise(DType dtype, const float* values, int64_t count, std::byte* blocks) {
  const DTypeInfo& block = info(dtype);
  for (int64_t i = 0; i < count / block.elements; ++i) {
    quantise_block(dtype, values + i * block.elements, blocks + i * block.bytes);
  }
}

}  // namespace irplan
