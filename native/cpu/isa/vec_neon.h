// Vectors of AArch64 (NEON). Included by one source file.
#pragma once

#include <arm_neon.h>

#include "cpu/isa/isa.h"

namespace irplan::cpu {
namespace {

using Vec = float32x4_t;
constexpr int kLanes = 4;
constexpr int kBlockRows = 6;  // by a panel: 24 sums, four vectors of a column and a number of x

inline Vec zero() { return vdupq_n_f32(0); }
inline Vec all(float x) { return vdupq_n_f32(x); }
inline Vec load(const float* from) { return vld1q_f32(from); }
inline void store(float* to, Vec v) { vst1q_f32(to, v); }
inline Vec add(Vec a, Vec b) { return vaddq_f32(a, b); }
inline Vec subtract(Vec a, Vec b) { return vsubq_f32(a, b); }
inline Vec multiply(Vec a, Vec b) { return vmulq_f32(a, b); }
inline Vec divide(Vec a, Vec b) { return vdivq_f32(a, b); }
inline Vec fused(Vec a, Vec b, Vec c) { return vfmaq_f32(c, a, b); }  // a b + c, rounded once
inline Vec larger(Vec a, Vec b) { return vmaxq_f32(a, b); }
inline float total(Vec v) { return vaddvq_f32(v); }
inline void store_totals(float* to, const Vec* four) {
  for (int i = 0; i < 4; ++i) to[i] = total(four[i]);
}
inline Vec nearest(Vec v) { return vrndnq_f32(v); }
inline Vec power_of_two(Vec whole) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(whole), vdupq_n_s32(127)), 23));
}

inline const uint8_t* bytes(const std::byte* at) { return reinterpret_cast<const uint8_t*>(at); }
inline uint16x4_t four_words(const std::byte* at) { return vreinterpret_u16_u8(vld1_u8(bytes(at))); }
inline uint16x4_t four_bytes(const std::byte* at) {
  uint32_t word;
  __builtin_memcpy(&word, at, 4);
  return vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(word))));
}

inline Vec from_bf16(const std::byte* at) { return vreinterpretq_f32_u32(vshll_n_u16(four_words(at), 16)); }
inline Vec from_f16(const std::byte* at) { return vcvt_f32_f16(vreinterpret_f16_u16(four_words(at))); }
inline Vec from_e5m2(const std::byte* at) {  // the upper byte of an f16
  return vcvt_f32_f16(vreinterpret_f16_u16(vshl_n_u16(four_bytes(at), 8)));
}
inline Vec from_e4m3(const std::byte* at) {
  const uint32x4_t bits = vmovl_u16(four_bytes(at)), magnitude = vandq_u32(bits, vdupq_n_u32(0x7f));
  const Vec value = multiply(vreinterpretq_f32_u32(vshlq_n_u32(magnitude, 20)), all(0x1p120f));
  const uint32x4_t nan = vandq_u32(vceqq_u32(magnitude, vdupq_n_u32(0x7f)), vdupq_n_u32(0x7fc00000));
  const uint32x4_t sign = vshlq_n_u32(veorq_u32(bits, magnitude), 24);
  return vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(value), vorrq_u32(nan, sign)));
}
inline Vec from_four(int8x8_t numbers, bool upper) {
  const int16x8_t wide = vmovl_s8(numbers);
  return vcvtq_f32_s32(vmovl_s16(upper ? vget_high_s16(wide) : vget_low_s16(wide)));
}
inline Vec from_i8(const std::byte* at) {
  uint32_t word;
  __builtin_memcpy(&word, at, 4);
  return from_four(vreinterpret_s8_u32(vdup_n_u32(word)), false);
}
inline void column_of_i8(const std::byte* at, Vec* to) {
  for (int v = 0; v < 16 / kLanes; ++v) to[v] = from_i8(at + v * kLanes);
}
inline void from_codes(const std::byte* at, const int8_t* table, Vec* to) {
  const uint8x16_t pairs = vld1q_u8(bytes(at));
  const int8x16_t numbers = vld1q_s8(table);
  const int8x16_t halves[2] = {vqtbl1q_s8(numbers, vandq_u8(pairs, vdupq_n_u8(15))),
                               vqtbl1q_s8(numbers, vshrq_n_u8(pairs, 4))};
  for (int h = 0; h < 2; ++h) {
    to[4 * h] = from_four(vget_low_s8(halves[h]), false);
    to[4 * h + 1] = from_four(vget_low_s8(halves[h]), true);
    to[4 * h + 2] = from_four(vget_high_s8(halves[h]), false);
    to[4 * h + 3] = from_four(vget_high_s8(halves[h]), true);
  }
}
inline void to_f16(Vec v, std::byte* at) {
  vst1_u8(reinterpret_cast<uint8_t*>(at), vreinterpret_u8_f16(vcvt_f16_f32(v)));
}
inline void to_bf16(Vec v, std::byte* at) {
  const uint32x4_t bits = vreinterpretq_u32_f32(v), odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
  const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
  const uint32x4_t kept = vbslq_u32(vceqq_f32(v, v), rounded, quiet);
  vst1_u8(reinterpret_cast<uint8_t*>(at), vreinterpret_u8_u16(vshrn_n_u32(kept, 16)));
}

// Whole numbers: 4 of 32 bits, or 4 pairs of 16; a column of a panel, 16 of 8 bits.
using Ints = int32x4_t;
using Column = int8x16_t;
constexpr int kWholeRows = 4;
inline Ints no_ints() { return vdupq_n_s32(0); }
inline Ints load_pairs(const int16_t* from) { return vreinterpretq_s32_s16(vld1q_s16(from)); }
inline Ints one_pair(const int16_t* from) {
  int32_t pair;
  __builtin_memcpy(&pair, from, sizeof pair);
  return vdupq_n_s32(pair);
}
inline void store_pairs(int16_t* to, Ints v) { vst1q_s16(to, vreinterpretq_s16_s32(v)); }
inline Ints multiply_pairs(Ints a, Ints b, Ints sum) {  // sum + a.low b.low + a.high b.high
  const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
  const int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y)), high = vmull_high_s16(x, y);
  return vaddq_s32(sum, vpaddq_s32(low, high));
}
inline Vec from_ints(Ints v) { return vcvtq_f32_s32(v); }
inline Column load_column(const std::byte* at) { return vreinterpretq_s8_u8(vld1q_u8(bytes(at))); }
inline void code_columns(const std::byte* at, const int8_t* table, Column* two) {
  const uint8x16_t pairs = vld1q_u8(bytes(at));
  const int8x16_t numbers = vld1q_s8(table);
  two[0] = vqtbl1q_s8(numbers, vandq_u8(pairs, vdupq_n_u8(15)));
  two[1] = vqtbl1q_s8(numbers, vshrq_n_u8(pairs, 4));
}
inline void pair_columns(Column a, Column b, Ints* to) {  // row by row a's number and b's
  const int8x16_t halves[2] = {vzip1q_s8(a, b), vzip2q_s8(a, b)};
  for (int h = 0; h < 2; ++h) {
    to[2 * h] = vreinterpretq_s32_s16(vmovl_s8(vget_low_s8(halves[h])));
    to[2 * h + 1] = vreinterpretq_s32_s16(vmovl_s8(vget_high_s8(halves[h])));
  }
}

using CodeBytes = void;  // codes multiply as pairs of 16 bits

}  // namespace
}  // namespace irplan::cpu
