// Vectors of four numbers as any processor has them: GCC's and Clang's own, which become what there is.
#pragma once

#include "cpu/isa/isa.h"
#include "ops/float_formats.h"

namespace irplan::cpu {
namespace {

using Vec = float __attribute__((vector_size(16)));
constexpr int kLanes = 4;
constexpr int kBlockRows = 2;  // by a panel: eight sums, four vectors of a column and a number of x

inline Vec zero() { return Vec{0, 0, 0, 0}; }
inline Vec all(float x) { return Vec{x, x, x, x}; }
inline Vec load(const float* from) {
  Vec v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
inline void store(float* to, Vec v) { __builtin_memcpy(to, &v, sizeof v); }
inline Vec add(Vec a, Vec b) { return a + b; }
inline Vec subtract(Vec a, Vec b) { return a - b; }
inline Vec multiply(Vec a, Vec b) { return a * b; }
inline Vec divide(Vec a, Vec b) { return a / b; }
inline Vec fused(Vec a, Vec b, Vec c) { return a * b + c; }  // rounded twice
inline Vec larger(Vec a, Vec b) {
  for (int l = 0; l < kLanes; ++l) a[l] = a[l] > b[l] ? a[l] : b[l];
  return a;
}
inline float total(Vec v) { return (v[0] + v[2]) + (v[1] + v[3]); }
inline void store_totals(float* to, const Vec* four) {
  for (int i = 0; i < 4; ++i) to[i] = total(four[i]);
}
// Of numbers below 2^22: the sum with 1.5 * 2^23 has no room for a fraction.
inline Vec nearest(Vec v) { return (v + all(0x1.8p23f)) - all(0x1.8p23f); }
inline Vec power_of_two(Vec whole) {
  for (int l = 0; l < kLanes; ++l)
    whole[l] = float_of(static_cast<uint32_t>(static_cast<int>(whole[l]) + 127) << 23);
  return whole;
}

template <class Convert>
inline Vec each_lane(const Convert& convert) {
  return Vec{convert(0), convert(1), convert(2), convert(3)};
}
inline uint16_t word(const std::byte* at, int i) {
  uint16_t bits;
  __builtin_memcpy(&bits, at + 2 * i, sizeof bits);
  return bits;
}
inline Vec from_bf16(const std::byte* at) {
  return each_lane([&](int l) { return irplan::from_bf16(word(at, l)); });
}
inline Vec from_f16(const std::byte* at) {
  return each_lane([&](int l) { return irplan::from_f16(word(at, l)); });
}
inline Vec from_e5m2(const std::byte* at) {
  return each_lane([&](int l) { return from_small(kF8E5M2, static_cast<uint32_t>(at[l])); });
}
inline Vec from_e4m3(const std::byte* at) {
  return each_lane([&](int l) { return from_small(kF8E4M3, static_cast<uint32_t>(at[l])); });
}
inline Vec from_i8(const std::byte* at) {
  return each_lane([&](int l) { return static_cast<float>(static_cast<int8_t>(at[l])); });
}
inline void column_of_i8(const std::byte* at, Vec* to) {
  for (int v = 0; v < 16 / kLanes; ++v) to[v] = from_i8(at + v * kLanes);
}
inline void from_codes(const std::byte* at, const int8_t* table, Vec* to) {
  for (int part = 0; part < 8; ++part) {
    const int shift = part < 4 ? 0 : 4;
    to[part] = each_lane([&](int l) {
      return static_cast<float>(table[static_cast<uint8_t>(at[part % 4 * 4 + l]) >> shift & 15]);
    });
  }
}
inline void to_f16(Vec v, std::byte* at) {
  for (int l = 0; l < kLanes; ++l) {
    const uint16_t bits = irplan::to_f16(v[l]);
    __builtin_memcpy(at + 2 * l, &bits, sizeof bits);
  }
}
inline void to_bf16(Vec v, std::byte* at) {
  for (int l = 0; l < kLanes; ++l) {
    const uint16_t bits = irplan::to_bf16(v[l]);
    __builtin_memcpy(at + 2 * l, &bits, sizeof bits);
  }
}

// Whole numbers: 4 of 32 bits, or 4 pairs of 16; a column of a panel, 16 of 8 bits.
using Ints = int32_t __attribute__((vector_size(16)));
constexpr int kWholeRows = 2;
struct Column {
  int8_t numbers[16];
};
inline Ints no_ints() { return Ints{0, 0, 0, 0}; }
inline Ints load_pairs(const int16_t* from) {
  Ints v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
inline Ints one_pair(const int16_t* from) {
  int32_t pair;
  __builtin_memcpy(&pair, from, sizeof pair);
  return Ints{pair, pair, pair, pair};
}
inline void store_pairs(int16_t* to, Ints v) { __builtin_memcpy(to, &v, sizeof v); }
inline Ints multiply_pairs(Ints a, Ints b, Ints sum) {  // sum + a.low b.low + a.high b.high
  using Pairs = int16_t __attribute__((vector_size(16)));
  Pairs x, y;
  __builtin_memcpy(&x, &a, sizeof x);
  __builtin_memcpy(&y, &b, sizeof y);
  for (int l = 0; l < kLanes; ++l) sum[l] += x[2 * l] * y[2 * l] + x[2 * l + 1] * y[2 * l + 1];
  return sum;
}
inline Vec from_ints(Ints v) {
  return each_lane([&](int l) { return static_cast<float>(v[l]); });
}
inline Column load_column(const std::byte* at) {
  Column column;
  __builtin_memcpy(column.numbers, at, sizeof column.numbers);
  return column;
}
inline void code_columns(const std::byte* at, const int8_t* table, Column* two) {
  for (int i = 0; i < 16; ++i) {
    two[0].numbers[i] = table[static_cast<uint8_t>(at[i]) & 15];
    two[1].numbers[i] = table[static_cast<uint8_t>(at[i]) >> 4];
  }
}
inline void pair_columns(Column a, Column b, Ints* to) {  // row by row a's number and b's
  int16_t pairs[32];
  for (int i = 0; i < 16; ++i) {
    pairs[2 * i] = a.numbers[i];
    pairs[2 * i + 1] = b.numbers[i];
  }
  __builtin_memcpy(to, pairs, sizeof pairs);
}

using CodeBytes = void;  // codes multiply as pairs of 16 bits

}  // namespace
}  // namespace irplan::cpu
