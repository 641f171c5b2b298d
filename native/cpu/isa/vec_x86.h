// What AVX2 and AVX-512 share: the sum of a vector that is folded to four numbers. One order, for one vector
// and for four at once.
#pragma once

#include <immintrin.h>

namespace irplan::cpu {
namespace {

inline float total_of(__m128 v) {  // (v0 + v2) + (v1 + v3)
  v = _mm_add_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}
inline void store_totals_of(float* to, __m128 a, __m128 b, __m128 c, __m128 d) {
  const __m128 left = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
  const __m128 right = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
  _mm_storeu_ps(to, _mm_add_ps(_mm_movelh_ps(left, right), _mm_movehl_ps(right, left)));
}

}  // namespace
}  // namespace irplan::cpu
