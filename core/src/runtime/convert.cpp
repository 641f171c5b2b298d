#include "runtime/convert.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "reference/executor.h"
#include "runtime/parallel.h"

namespace irplan {
namespace {

constexpr int64_t kLot = int64_t{1} << 15;  // elements that one thread takes at a time; whole blocks

template <class Word>
int64_t first_with(const std::byte* data, int64_t count, Word mask, Word pattern) {
  constexpr int64_t kRun = 4096;
  for (int64_t begin = 0; begin < count; begin += kRun) {
    const int64_t end = std::min(count, begin + kRun);
    bool any = false;
    for (int64_t i = begin; i < end; ++i) {
      Word word;
      std::memcpy(&word, data + i * static_cast<int64_t>(sizeof(Word)), sizeof(Word));
      any |= (word & mask) == pattern;
    }
    for (int64_t i = begin; any && i < end; ++i) {
      Word word;
      std::memcpy(&word, data + i * static_cast<int64_t>(sizeof(Word)), sizeof(Word));
      if ((word & mask) == pattern) return i;
    }
  }
  return -1;
}

int64_t first_not_finite_of(const StoredTensor& t, int64_t begin, int64_t count) {
  const std::byte* data = t.data + begin * info(t.type).bytes;
  switch (t.type) {
    case Stored::F64: return first_with<uint64_t>(data, count, 0x7ff0000000000000u, 0x7ff0000000000000u);
    case Stored::F32: return first_with<uint32_t>(data, count, 0x7f800000u, 0x7f800000u);
    case Stored::F16: return first_with<uint16_t>(data, count, 0x7c00, 0x7c00);
    case Stored::BF16: return first_with<uint16_t>(data, count, 0x7f80, 0x7f80);
    case Stored::F8E4M3: return first_with<uint8_t>(data, count, 0x7f, 0x7f);
    case Stored::F8E5M2: return first_with<uint8_t>(data, count, 0x7c, 0x7c);
    case Stored::F8E8M0: return first_with<uint8_t>(data, count, 0xff, 0xff);
    default: return -1;
  }
}

// The least magnitude that a dtype does not hold: it rounds to infinity, or would be cut to the largest.
float least_beyond(DType dtype) {
  const float infinity = std::numeric_limits<float>::infinity();
  switch (dtype) {
    case DType::F16: return 65520.0f;
    case DType::BF16: return 0x1.ffp127f;
    case DType::F8E4M3: return std::nextafter(464.0f, infinity);  // 464 rounds to 448, the even one
    case DType::F8E5M2: return 61440.0f;
    case DType::Q8_0: return 127 * 65520.0f;  // scales are f16
    case DType::Q4_0:
    case DType::I4G128: return 8 * 65520.0f;
    default: return infinity;
  }
}

int64_t first_beyond(DType dtype, const float* values, int64_t count) {
  const float least = least_beyond(dtype);
  for (int64_t i = 0; i < count; ++i) {
    if (std::fabs(values[i]) >= least) return i;
  }
  return -1;
}

void measure(DType dtype, const float* values, const std::byte* stored, int64_t count, Conversion& out) {
  for (int64_t i = 0; i < count; ++i) {
    const double value = values[i], lost = value - load_float(dtype, stored, i);
    out.square += value * value;
    out.lost += lost * lost;
  }
}

// Keeps the least of all that threads found.
void keep_first(std::atomic<int64_t>& first, int64_t found) {
  int64_t held = first;
  while ((held < 0 || found < held) && !first.compare_exchange_weak(held, found)) {
  }
}

}  // namespace

int64_t first_not_finite(const StoredTensor& tensor, int64_t begin, int64_t count) {
  std::atomic<int64_t> first = -1;
  parallel(count, kLot, [&](int64_t from, int64_t to) {
    const int64_t found = first_not_finite_of(tensor, begin + from, to - from);
    if (found >= 0) keep_first(first, from + found);
  });
  return first;
}

bool is_measured(DType dtype) { return is_block(dtype) || dtype == DType::F8E4M3 || dtype == DType::F8E5M2; }

void store_floats(DType dtype, const float* values, int64_t count, std::byte* out) {
  if (is_block(dtype)) return quantise(dtype, values, count, out);
  if (dtype == DType::F32) {
    std::memcpy(out, values, static_cast<size_t>(count) * 4);
  } else {
    for (int64_t i = 0; i < count; ++i) store_float(dtype, out, i, values[i]);
  }
}

Conversion convert(const StoredTensor& tensor, int64_t begin, int64_t count, DType dtype, std::byte* out) {
  // A result for each lot, and these summed in order: the same sum on any number of threads.
  std::vector<Conversion> lots(static_cast<size_t>((count + kLot - 1) / kLot));
  parallel(static_cast<int64_t>(lots.size()), 1, [&](int64_t first, int64_t end) {
    std::vector<float> values(static_cast<size_t>(std::min(kLot, count)));
    for (int64_t lot = first; lot < end; ++lot) {
      const int64_t from = lot * kLot, n = std::min(kLot, count - from);
      Conversion& result = lots[static_cast<size_t>(lot)];
      read_floats(tensor, begin + from, n, values.data());
      const int64_t beyond = first_beyond(dtype, values.data(), n);
      if (beyond >= 0) {
        result.beyond = from + beyond;
        continue;
      }
      std::byte* to = out + stored_bytes(dtype, from);
      store_floats(dtype, values.data(), n, to);
      if (is_measured(dtype)) measure(dtype, values.data(), to, n, result);
    }
  });
  Conversion all;
  for (const Conversion& lot : lots) {
    if (all.beyond < 0) all.beyond = lot.beyond;
    all.square += lot.square;
    all.lost += lot.lost;
  }
  return all;
}

int64_t convert_integers(const StoredTensor& tensor, int64_t begin, int64_t count, DType dtype,
                         std::byte* out) {
  for (int64_t i = 0; i < count; ++i) {
    const int64_t n = read_int(tensor, begin + i);
    store_int(dtype, out, i, n);
    const bool wrapped = tensor.type == Stored::U64 && n < 0;  // it exceeds int64
    if (wrapped || load_int(dtype, out, i) != n) return i;
  }
  return -1;
}

}  // namespace irplan
