#include "runtime/stored.h"

#include <cstdio>
#include <cstring>

#include "reference/executor.h"

namespace irplan {
namespace {

constexpr StoredInfo kInfo[] = {
    {"F64", "<f8", 8, true},       {"F32", "<f4", 4, true},       {"F16", "<f2", 2, true},
    {"BF16", nullptr, 2, true},    {"F8_E4M3", nullptr, 1, true}, {"F8_E5M2", nullptr, 1, true},
    {"F8_E8M0", nullptr, 1, true}, {"I64", "<i8", 8, false},      {"I32", "<i4", 4, false},
    {"I16", "<i2", 2, false},      {"I8", "|i1", 1, false},       {"U64", "<u8", 8, false},
    {"U32", "<u4", 4, false},      {"U16", "<u2", 2, false},      {"U8", "|u1", 1, false},
    {"BOOL", "|b1", 1, false},
};

template <class T>
T load(const std::byte* base, int64_t element) {
  T value;
  std::memcpy(&value, base + element * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

float power_of_two(uint8_t biased) {
  if (biased == 0xff) return __builtin_nanf("");
  const uint32_t bits = biased ? uint32_t{biased} << 23 : uint32_t{1} << 22;  // 2^-127 is a subnormal
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

DType dtype_of(Stored type) {
  switch (type) {
    case Stored::F16: return DType::F16;
    case Stored::BF16: return DType::BF16;
    case Stored::F8E4M3: return DType::F8E4M3;
    case Stored::F8E5M2: return DType::F8E5M2;
    default: return DType::F32;
  }
}

}  // namespace

const StoredInfo& info(Stored type) { return kInfo[static_cast<size_t>(type)]; }

std::optional<Stored> find_stored(std::string_view name) {
  for (size_t i = 0; i < std::size(kInfo); ++i) {
    if (name == kInfo[i].name) return static_cast<Stored>(i);
  }
  return std::nullopt;
}

std::optional<Stored> find_npy(std::string_view descr) {
  for (size_t i = 0; i < std::size(kInfo); ++i) {
    if (!kInfo[i].npy) continue;
    const bool one_byte = kInfo[i].bytes == 1;  // whose order is written as |, <, > or =
    if (descr == kInfo[i].npy || (one_byte && descr.size() == 3 && descr.substr(1) == kInfo[i].npy + 1))
      return static_cast<Stored>(i);
  }
  return std::nullopt;
}

std::optional<Stored> stored_as(DType dtype) {
  switch (dtype) {
    case DType::F32: return Stored::F32;
    case DType::F16: return Stored::F16;
    case DType::BF16: return Stored::BF16;
    case DType::F8E4M3: return Stored::F8E4M3;
    case DType::F8E5M2: return Stored::F8E5M2;
    case DType::I32: return Stored::I32;
    case DType::I64: return Stored::I64;
    case DType::I8: return Stored::I8;
    case DType::Bool: return Stored::Bool;
    default: return std::nullopt;
  }
}

int64_t StoredTensor::count() const {
  int64_t n = 1;
  for (const int64_t extent : shape) n *= extent;
  return n;
}

void read_floats(const StoredTensor& tensor, int64_t begin, int64_t count, float* out) {
  const std::byte* data = tensor.data + begin * info(tensor.type).bytes;
  switch (tensor.type) {
    case Stored::F32: std::memcpy(out, data, static_cast<size_t>(count) * 4); return;
    case Stored::F64:
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(load<double>(data, i));
      return;
    case Stored::F8E8M0:
      for (int64_t i = 0; i < count; ++i) out[i] = power_of_two(load<uint8_t>(data, i));
      return;
    case Stored::BF16:
      for (int64_t i = 0; i < count; ++i) {
        const uint32_t bits = uint32_t{load<uint16_t>(data, i)} << 16;
        std::memcpy(out + i, &bits, 4);
      }
      return;
    case Stored::F16:
    case Stored::F8E4M3:
    case Stored::F8E5M2:
      for (int64_t i = 0; i < count; ++i) out[i] = load_float(dtype_of(tensor.type), data, i);
      return;
    default:
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(read_int(tensor, begin + i));
  }
}

int64_t read_int(const StoredTensor& tensor, int64_t i) {
  switch (tensor.type) {
    case Stored::I64: return load<int64_t>(tensor.data, i);
    case Stored::I32: return load<int32_t>(tensor.data, i);
    case Stored::I16: return load<int16_t>(tensor.data, i);
    case Stored::I8: return load<int8_t>(tensor.data, i);
    case Stored::U64: return static_cast<int64_t>(load<uint64_t>(tensor.data, i));
    case Stored::U32: return load<uint32_t>(tensor.data, i);
    case Stored::U16: return load<uint16_t>(tensor.data, i);
    case Stored::U8: return load<uint8_t>(tensor.data, i);
    case Stored::Bool: return load<uint8_t>(tensor.data, i) != 0;
    default: break;
  }
  float value = 0;
  read_floats(tensor, i, 1, &value);
  const bool fits = value > -9.2e18f && value < 9.2e18f;
  return fits ? static_cast<int64_t>(value) : 0;
}

std::string number_text(const StoredTensor& tensor, int64_t i) {
  if (tensor.type == Stored::U64) return std::to_string(load<uint64_t>(tensor.data, i));
  if (!info(tensor.type).floats) return std::to_string(read_int(tensor, i));
  double value = 0;
  if (tensor.type == Stored::F64) {
    value = load<double>(tensor.data, i);
  } else {
    float number = 0;
    read_floats(tensor, i, 1, &number);
    value = number;
  }
  char digits[32];
  std::snprintf(digits, sizeof digits, "%g", value);
  return digits;
}

HostArray to_array(const StoredTensor& tensor) {
  HostArray array;
  array.floats = info(tensor.type).floats;
  array.shape = tensor.shape;
  const int64_t n = tensor.count();
  if (array.floats) {
    array.f.resize(static_cast<size_t>(n));
    read_floats(tensor, 0, n, array.f.data());
  } else {
    array.i.resize(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) array.i[static_cast<size_t>(i)] = read_int(tensor, i);
  }
  return array;
}

std::string text(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

std::optional<int64_t> checked_count(const std::vector<int64_t>& shape) {
  int64_t n = 1;
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(n, extent, &n)) return std::nullopt;
  }
  return n;
}

}  // namespace irplan
