// Vectors of AVX-512 (F, BW, DQ, VL). Included by one source file, which is compiled for them.
#pragma once

#include <immintrin.h>

#include "cpu/isa/isa.h"
#include "cpu/isa/vec_x86.h"

namespace irplan::cpu {
namespace {

using Vec = __m512;
constexpr int kLanes = 16;
constexpr int kBlockRows = 14;  // sums of a panel each; a processor with two units hides 8 sums' latency

inline Vec zero() { return _mm512_setzero_ps(); }
inline Vec all(float x) { return _mm512_set1_ps(x); }
inline Vec load(const float* from) { return _mm512_loadu_ps(from); }
inline void store(float* to, Vec v) { _mm512_storeu_ps(to, v); }
inline Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
inline Vec subtract(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
inline Vec multiply(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
inline Vec divide(Vec a, Vec b) { return _mm512_div_ps(a, b); }
inline Vec fused(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }  // a b + c, rounded once
inline Vec larger(Vec a, Vec b) { return _mm512_max_ps(a, b); }
inline __m128 folded(Vec v) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
inline float total(Vec v) { return total_of(folded(v)); }
inline void store_totals(float* to, const Vec* four) {
  store_totals_of(to, folded(four[0]), folded(four[1]), folded(four[2]), folded(four[3]));
}
inline Vec nearest(Vec v) { return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vec power_of_two(Vec whole) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(whole), _mm512_set1_epi32(127)), 23));
}

inline __m128i sixteen(const std::byte* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
inline __m256i words(const std::byte* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }

inline Vec from_bf16(const std::byte* at) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(words(at)), 16));
}
inline Vec from_f16(const std::byte* at) { return _mm512_cvtph_ps(words(at)); }
inline Vec from_e5m2(const std::byte* at) {  // the upper byte of an f16
  return _mm512_cvtph_ps(_mm256_slli_epi16(_mm256_cvtepu8_epi16(sixteen(at)), 8));
}
// As an f16 of another bias, and then the difference of the biases: no step meets a subnormal f32.
inline Vec from_e4m3(const std::byte* at) {
  const __m256i bits = _mm256_cvtepu8_epi16(sixteen(at));
  const __m256i magnitude = _mm256_and_si256(bits, _mm256_set1_epi16(0x7f));
  const __m256i nan =
      _mm256_and_si256(_mm256_cmpeq_epi16(magnitude, _mm256_set1_epi16(0x7f)), _mm256_set1_epi16(0x7e00));
  const __m256i sign = _mm256_slli_epi16(_mm256_xor_si256(bits, magnitude), 8);
  const __m256i half = _mm256_or_si256(_mm256_or_si256(_mm256_slli_epi16(magnitude, 7), nan), sign);
  return multiply(_mm512_cvtph_ps(half), all(256));
}
inline void column_of_i8(const std::byte* at, Vec* to) {
  *to = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(sixteen(at)));
}
inline void from_codes(const std::byte* at, const int8_t* table, Vec* to) {
  const __m128i pairs = sixteen(at), mask = _mm_set1_epi8(15);
  const __m128i numbers = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  to[0] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_shuffle_epi8(numbers, _mm_and_si128(pairs, mask))));
  to[1] = _mm512_cvtepi32_ps(
      _mm512_cvtepi8_epi32(_mm_shuffle_epi8(numbers, _mm_and_si128(_mm_srli_epi16(pairs, 4), mask))));
}
inline void to_f16(Vec v, std::byte* at) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline void to_bf16(Vec v, std::byte* at) {
  const __m512i bits = _mm512_castps_si512(v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
  const __m512i kept = _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), rounded, quiet);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm512_cvtepi32_epi16(_mm512_srli_epi32(kept, 16)));
}

// Whole numbers: 16 of 32 bits, or 16 pairs of 16; a column of a panel, 16 of 8 bits.
using Ints = __m512i;
using Column = __m128i;
constexpr int kWholeRows = 14;
inline Ints no_ints() { return _mm512_setzero_si512(); }
inline Ints load_pairs(const int16_t* from) { return _mm512_loadu_si512(from); }
inline Ints one_pair(const int16_t* from) {
  int32_t pair;
  __builtin_memcpy(&pair, from, sizeof pair);
  return _mm512_set1_epi32(pair);
}
inline void store_pairs(int16_t* to, Ints v) { _mm512_storeu_si512(to, v); }
inline Ints multiply_pairs(Ints a, Ints b, Ints sum) {  // sum + a.low b.low + a.high b.high
#ifdef __AVX512VNNI__
  return _mm512_dpwssd_epi32(sum, a, b);
#else
  return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#endif
}
inline Vec from_ints(Ints v) { return _mm512_cvtepi32_ps(v); }
inline Column load_column(const std::byte* at) { return sixteen(at); }
inline void code_columns(const std::byte* at, const int8_t* table, Column* two) {
  const Column pairs = sixteen(at), mask = _mm_set1_epi8(15);
  const Column numbers = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  two[0] = _mm_shuffle_epi8(numbers, _mm_and_si128(pairs, mask));
  two[1] = _mm_shuffle_epi8(numbers, _mm_and_si128(_mm_srli_epi16(pairs, 4), mask));
}
inline void pair_columns(Column a, Column b, Ints* to) {  // row by row a's number and b's
  const __m256i pairs = _mm256_set_m128i(_mm_unpackhi_epi8(a, b), _mm_unpacklo_epi8(a, b));
  to[0] = _mm512_cvtepi8_epi16(pairs);
}

using CodeBytes = void;  // codes multiply as pairs of 16 bits

}  // namespace
}  // namespace irplan::cpu
