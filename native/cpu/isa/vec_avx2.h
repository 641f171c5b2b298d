// Vectors of AVX2 with FMA and F16C. Included by one source file, which is compiled for them.
#pragma once

#include <immintrin.h>

#include "cpu/isa/isa.h"
#include "cpu/isa/vec_x86.h"

namespace irplan::cpu {
namespace {

using Vec = __m256;
constexpr int kLanes = 8;
constexpr int kBlockRows =
    6;  // by a panel: twelve sums, two columns and a number of x fill sixteen registers

inline Vec zero() { return _mm256_setzero_ps(); }
inline Vec all(float x) { return _mm256_set1_ps(x); }
inline Vec load(const float* from) { return _mm256_loadu_ps(from); }
inline void store(float* to, Vec v) { _mm256_storeu_ps(to, v); }
inline Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
inline Vec subtract(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
inline Vec multiply(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
inline Vec divide(Vec a, Vec b) { return _mm256_div_ps(a, b); }
inline Vec fused(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }  // a b + c, rounded once
inline Vec larger(Vec a, Vec b) { return _mm256_max_ps(a, b); }
inline __m128 folded(Vec v) { return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)); }
inline float total(Vec v) { return total_of(folded(v)); }
inline void store_totals(float* to, const Vec* four) {
  store_totals_of(to, folded(four[0]), folded(four[1]), folded(four[2]), folded(four[3]));
}
// 2^n of whole n in [-126, 127], and the nearest whole number.
inline Vec nearest(Vec v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vec power_of_two(Vec whole) {
  return _mm256_castsi256_ps(
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(whole), _mm256_set1_epi32(127)), 23));
}

inline Vec from_bf16(const std::byte* at) {
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}
inline Vec from_f16(const std::byte* at) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}
inline Vec from_e5m2(const std::byte* at) {  // the upper byte of an f16
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
  return _mm256_cvtph_ps(_mm_unpacklo_epi8(_mm_setzero_si128(), bytes));
}
// As an f16 of another bias, and then the difference of the biases: no step meets a subnormal f32.
inline Vec from_e4m3(const std::byte* at) {
  const __m128i bits = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
  const __m128i magnitude = _mm_and_si128(bits, _mm_set1_epi16(0x7f));
  const __m128i nan = _mm_and_si128(_mm_cmpeq_epi16(magnitude, _mm_set1_epi16(0x7f)), _mm_set1_epi16(0x7e00));
  const __m128i sign = _mm_slli_epi16(_mm_xor_si128(bits, magnitude), 8);
  const __m128i half = _mm_or_si128(_mm_or_si128(_mm_slli_epi16(magnitude, 7), nan), sign);
  return multiply(_mm256_cvtph_ps(half), all(256));
}
inline Vec from_i8(const std::byte* at) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at))));
}
inline void column_of_i8(const std::byte* at, Vec* to) {
  for (int v = 0; v < 16 / kLanes; ++v) to[v] = from_i8(at + v * kLanes);
}
// 16 bytes are 32 codes: the numbers that `table` has for the low ones, then for the high ones.
inline void from_codes(const std::byte* at, const int8_t* table, Vec* to) {
  const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), mask = _mm_set1_epi8(15);
  const __m128i numbers = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  const __m128i low = _mm_shuffle_epi8(numbers, _mm_and_si128(pairs, mask));
  const __m128i high = _mm_shuffle_epi8(numbers, _mm_and_si128(_mm_srli_epi16(pairs, 4), mask));
  to[0] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(low));
  to[1] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(low, 8)));
  to[2] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(high));
  to[3] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(high, 8)));
}
inline void to_f16(Vec v, std::byte* at) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline void to_bf16(Vec v, std::byte* at) {
  const __m256i bits = _mm256_castps_si256(v), one = _mm256_set1_epi32(1);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const __m256i high = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(at), packed);
}

// Whole numbers: 8 of 32 bits, or 8 pairs of 16; a column of a panel, 16 of 8 bits.
using Ints = __m256i;
using Column = __m128i;
constexpr int kWholeRows = 4;  // eight sums, and as many registers for what is added to them
inline Ints no_ints() { return _mm256_setzero_si256(); }
inline Ints load_pairs(const int16_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
inline Ints one_pair(const int16_t* from) {
  using Pair = int32_t __attribute__((may_alias, aligned(2)));
  return _mm256_set1_epi32(*reinterpret_cast<const Pair*>(from));
}
inline void store_pairs(int16_t* to, Ints v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v); }
inline Ints multiply_pairs(Ints a, Ints b, Ints sum) {  // sum + a.low b.low + a.high b.high
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}
inline Vec from_ints(Ints v) { return _mm256_cvtepi32_ps(v); }
inline Column load_column(const std::byte* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline void code_columns(const std::byte* at, const int8_t* table, Column* two) {
  const Column pairs = load_column(at), mask = _mm_set1_epi8(15);
  const Column numbers = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  two[0] = _mm_shuffle_epi8(numbers, _mm_and_si128(pairs, mask));
  two[1] = _mm_shuffle_epi8(numbers, _mm_and_si128(_mm_srli_epi16(pairs, 4), mask));
}
inline void pair_columns(Column a, Column b, Ints* to) {  // row by row a's number and b's
  to[0] = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b));
  to[1] = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b));
}

// Columns of codes of four bits by numbers of eight: codes are counted from their dtype's lowest number, 0 to
// 15 or 24, so that they multiply as unsigned bytes, a third of what pairs of 16 bits take; the lowest number
// times the sum of x is added at the end.
struct CodeBytes {
  using Sums = __m256i;  // of 16 bits: 8 of the rows by the first two of four columns, then by the others
  static constexpr int kSteps =
      8;  // of four columns, until a sum of q4_0 may be as large as 16 bits hold: 16 * 15 * 127
  static constexpr int kStepsE2M1 = 4;

  static Sums none() { return _mm256_setzero_si256(); }
  // 32 numbers of 16 bits as bytes; their sum.
  static int32_t narrow(const int16_t* from, int8_t* to) {
    const __m256i a = load_pairs(from), b = load_pairs(from + 16);
    const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xd8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes);
    const __m256i pairs = _mm256_madd_epi16(_mm256_add_epi16(a, b), _mm256_set1_epi16(1));
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
  }
  // Four numbers, so that each half has two of them again and again.
  static __m256i four(const int8_t* at) {
    using Four = int32_t __attribute__((may_alias, aligned(1)));
    const __m256i order =
        _mm256_set_epi64x(0x0302030203020302, 0x0302030203020302, 0x0100010001000100, 0x0100010001000100);
    return _mm256_shuffle_epi8(_mm256_set1_epi32(*reinterpret_cast<const Four*>(at)), order);
  }
  // The codes of four columns: of the rows 0 to 7, then 8 to 15, each row's first two, then its others.
  template <bool e2m1>
  static void columns(const std::byte* at, __m256i* to) {
    const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)),
                  mask = _mm256_set1_epi8(15);
    __m256i first = _mm256_and_si256(pairs, mask),
            second = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), mask);
    if constexpr (e2m1) {  // 12 + kTwiceE2M1
      const __m256i numbers = _mm256_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0, 12,
                                               13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0);
      first = _mm256_shuffle_epi8(numbers, first);
      second = _mm256_shuffle_epi8(numbers, second);
    }
    to[0] = _mm256_unpacklo_epi8(first, second);
    to[1] = _mm256_unpackhi_epi8(first, second);
  }
  static Sums multiply(__m256i codes, __m256i x, Sums sum) {
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(codes, x));
  }
  static Ints total(Sums sum) {
    return _mm256_add_epi32(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(sum)),
                            _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sum, 1)));
  }
  static Ints add(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
  static Ints all(int32_t n) { return _mm256_set1_epi32(n); }
};

}  // namespace
}  // namespace irplan::cpu
