// Vectors of WebAssembly's SIMD (128 bits). Included by one source file. Results are the bytes of the
// portable loops: what is fused elsewhere is rounded twice in both.
#pragma once

#include <wasm_simd128.h>

#include "cpu/isa/isa.h"

namespace irplan::cpu {
namespace {

using Vec = v128_t;
using Ints = v128_t;    // 4 of 32 bits, or 4 pairs of 16
using Column = v128_t;  // of a panel: 16 of 8 bits
constexpr int kLanes = 4;
constexpr int kBlockRows = 2;  // engines have 16 registers on x86: eight sums, four vectors of a column

inline Vec zero() { return wasm_f32x4_const_splat(0); }
inline Vec all(float x) { return wasm_f32x4_splat(x); }
inline Vec load(const float* from) { return wasm_v128_load(from); }
inline void store(float* to, Vec v) { wasm_v128_store(to, v); }
inline Vec add(Vec a, Vec b) { return wasm_f32x4_add(a, b); }
inline Vec subtract(Vec a, Vec b) { return wasm_f32x4_sub(a, b); }
inline Vec multiply(Vec a, Vec b) { return wasm_f32x4_mul(a, b); }
inline Vec divide(Vec a, Vec b) { return wasm_f32x4_div(a, b); }
inline Vec fused(Vec a, Vec b, Vec c) { return add(multiply(a, b), c); }  // rounded twice
inline Vec larger(Vec a, Vec b) { return wasm_f32x4_pmax(b, a); }         // a > b ? a : b
inline float total(Vec v) {
  return (wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 2)) +
         (wasm_f32x4_extract_lane(v, 1) + wasm_f32x4_extract_lane(v, 3));
}
inline void store_totals(float* to, const Vec* four) {
  for (int i = 0; i < 4; ++i) to[i] = total(four[i]);
}
inline Vec nearest(Vec v) { return wasm_f32x4_nearest(v); }
inline Vec power_of_two(Vec whole) {
  const Vec exponent = wasm_i32x4_trunc_sat_f32x4(whole);
  return wasm_i32x4_shl(wasm_i32x4_add(exponent, wasm_i32x4_const_splat(127)), 23);
}

inline Vec bits(uint32_t each) { return wasm_i32x4_splat(static_cast<int32_t>(each)); }
inline Vec four_words(const std::byte* at) { return wasm_u32x4_load16x4(at); }
inline Vec four_bytes(const std::byte* at) {
  return wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(at)));
}
// Numbers of a small format from their magnitudes shifted to f32's place: a product with a power of two mends
// exponents, of subnormal numbers too.
inline Vec rescaled(Vec magnitude, float scale) { return multiply(magnitude, all(scale)); }

inline Vec from_bf16(const std::byte* at) { return wasm_i32x4_shl(four_words(at), 16); }
// Four times 16 bits in the upper half of 32. Shuffles, since LLVM makes of what is wider said shifts and
// comparisons of 16 bits that are then widened one by one.
inline Vec upper_words(Vec words) {
  const Vec none = zero();
  return wasm_i16x8_shuffle(none, words, 0, 8, 1, 9, 2, 10, 3, 11);
}
inline Vec from_halves(Vec halves) {  // the lower four of 16 bits
  const Vec magnitude = wasm_v128_and(halves, wasm_i16x8_const_splat(0x7fff));
  const Vec sign = wasm_v128_xor(halves, magnitude);
  // What is no number becomes one bit pattern, as in ops/float_formats.h.
  const Vec one_nan = wasm_v128_bitselect(wasm_i16x8_const_splat(0x7e00), magnitude,
                                          wasm_i16x8_gt(magnitude, wasm_i16x8_const_splat(0x7c00)));
  const Vec number = rescaled(wasm_u32x4_shr(upper_words(one_nan), 3), 0x1p112f);
  const Vec infinite = wasm_v128_and(wasm_f32x4_ge(number, all(0x1p16f)), bits(0x7f800000));
  return wasm_v128_or(wasm_v128_or(number, infinite), upper_words(sign));
}
inline Vec from_f16(const std::byte* at) { return from_halves(wasm_v128_load64_zero(at)); }
inline Vec from_e5m2(const std::byte* at) {  // the upper byte of an f16
  return from_halves(wasm_i8x16_shuffle(wasm_v128_load32_zero(at), zero(), 16, 0, 16, 1, 16, 2, 16, 3, 16, 16,
                                        16, 16, 16, 16, 16, 16));
}
inline Vec from_e4m3(const std::byte* at) {
  const Vec stored = four_bytes(at), magnitude = wasm_v128_and(stored, bits(0x7f));
  const Vec sign = wasm_i32x4_shl(wasm_v128_xor(stored, magnitude), 24);
  const Vec number = rescaled(wasm_i32x4_shl(magnitude, 20), 0x1p120f);
  const Vec nan = wasm_i32x4_eq(magnitude, bits(0x7f));
  return wasm_v128_or(sign, wasm_v128_bitselect(bits(0x7fc00000), number, nan));
}
// 16 numbers of 8 bits: a byte below the bits of 2^23, which is then taken away.
inline void numbers_of_bytes(Column bytes, Vec* to) {
  const Vec none = zero(), high = wasm_i16x8_const_splat(0x4b00), offset = all(0x1p23f + 128);
  const Vec shifted = wasm_v128_xor(bytes, wasm_i8x16_const_splat(-128));
  const Vec halves[2] = {
      wasm_i8x16_shuffle(shifted, none, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
      wasm_i8x16_shuffle(shifted, none, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)};
  for (int h = 0; h < 2; ++h) {
    to[2 * h] = subtract(wasm_i16x8_shuffle(halves[h], high, 0, 8, 1, 9, 2, 10, 3, 11), offset);
    to[2 * h + 1] = subtract(wasm_i16x8_shuffle(halves[h], high, 4, 12, 5, 13, 6, 14, 7, 15), offset);
  }
}
inline void column_of_i8(const std::byte* at, Vec* to) { numbers_of_bytes(wasm_v128_load(at), to); }
// The numbers of 16 codes' low halves, and of their high ones.
inline void code_columns(const std::byte* at, const int8_t* table, Column* two) {
  const Vec pairs = wasm_v128_load(at), numbers = wasm_v128_load(table);
  two[0] = wasm_i8x16_swizzle(numbers, wasm_v128_and(pairs, wasm_i8x16_const_splat(15)));
  two[1] = wasm_i8x16_swizzle(numbers, wasm_u8x16_shr(pairs, 4));
}
inline void from_codes(const std::byte* at, const int8_t* table, Vec* to) {
  Vec halves[2];
  code_columns(at, table, halves);
  for (int h = 0; h < 2; ++h) numbers_of_bytes(halves[h], to + 4 * h);
}

// The low 16 bits of each lane.
inline void store_words(Vec words, std::byte* at) {
  const Vec packed = wasm_i8x16_shuffle(words, words, 0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13);
  wasm_v128_store64_lane(at, packed, 0);
}
inline void to_f16(Vec v, std::byte* at) {
  const Vec magnitude = wasm_v128_and(v, bits(0x7fffffff));
  const Vec sign = wasm_v128_and(wasm_u32x4_shr(v, 16), bits(0x8000));
  // To nearest, ties to even: 13 bits go; a carry raises the exponent.
  const Vec odd = wasm_v128_and(wasm_u32x4_shr(magnitude, 13), bits(1));
  const Vec rounded = wasm_i32x4_add(magnitude, wasm_i32x4_add(odd, bits(0xfff)));
  const Vec normal = wasm_u32x4_shr(wasm_i32x4_sub(rounded, bits(112u << 23)), 13);
  // Below 2^-14 the sum with 0.5 has no room for more bits than the subnormal number.
  const Vec small = wasm_i32x4_sub(add(magnitude, all(0.5f)), bits(0x3f000000));
  Vec found = wasm_v128_bitselect(small, normal, wasm_i32x4_lt(magnitude, bits(0x38800000)));
  found = wasm_v128_bitselect(bits(0x7c00), found, wasm_i32x4_gt(magnitude, bits(0x477fefff)));
  found = wasm_v128_bitselect(bits(0x7e00), found, wasm_i32x4_gt(magnitude, bits(0x7f800000)));
  store_words(wasm_v128_or(found, sign), at);
}
inline void to_bf16(Vec v, std::byte* at) {
  const Vec odd = wasm_v128_and(wasm_u32x4_shr(v, 16), bits(1));
  const Vec rounded = wasm_i32x4_add(v, wasm_i32x4_add(odd, bits(0x7fff)));
  const Vec quiet = wasm_v128_or(v, bits(0x400000));
  store_words(wasm_u32x4_shr(wasm_v128_bitselect(rounded, quiet, wasm_f32x4_eq(v, v)), 16), at);
}

constexpr int kWholeRows = 2;
inline Ints no_ints() { return wasm_i32x4_const_splat(0); }
inline Ints load_pairs(const int16_t* from) { return wasm_v128_load(from); }
inline Ints one_pair(const int16_t* from) { return wasm_v128_load32_splat(from); }
inline void store_pairs(int16_t* to, Ints v) { wasm_v128_store(to, v); }
inline Ints multiply_pairs(Ints a, Ints b, Ints sum) {  // sum + a.low b.low + a.high b.high
  return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(a, b));
}
inline Vec from_ints(Ints v) { return wasm_f32x4_convert_i32x4(v); }
inline Column load_column(const std::byte* at) { return wasm_v128_load(at); }
inline void pair_columns(Column a, Column b, Ints* to) {  // row by row a's number and b's
  const Vec halves[2] = {
      wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
      wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)};
  for (int h = 0; h < 2; ++h) {
    to[2 * h] = wasm_i16x8_extend_low_i8x16(halves[h]);
    to[2 * h + 1] = wasm_i16x8_extend_high_i8x16(halves[h]);
  }
}

using CodeBytes = void;  // codes multiply as pairs of 16 bits

}  // namespace
}  // namespace irplan::cpu
