#include "cpu/simd.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define IRPLAN_X86 1
#include <immintrin.h>
#endif

namespace irplan::cpu {
namespace {

// ------------------------------------------------------------------------------------------------ portable

constexpr int kLanes = 8;  // partial sums, so that a compiler may use what vectors there are

float portable_dot(const float* a, const float* b, int64_t n) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += a[i + l] * b[i + l];
  }
  float sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const float lane : lanes) sum += lane;
  return sum;
}

void portable_tile(const float* const* x, const float* const* w, int64_t n, float* out) {
  for (int r = 0; r < kTile; ++r) {
    for (int c = 0; c < kTile; ++c) out[r * kTile + c] = portable_dot(x[r], w[c], n);
  }
}

void portable_axpy(float* y, float a, const float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += a * x[i];
}

constexpr Simd kPortable{"portable", portable_dot, portable_tile, portable_axpy};

#ifdef IRPLAN_X86
// ------------------------------------------------------------------------------------------------ AVX2

#define IRPLAN_AVX2 __attribute__((target("avx2,fma")))

IRPLAN_AVX2 inline float sum_of(__m256 v) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_shuffle_ps(half, half, 1)));
}

IRPLAN_AVX2 float avx2_dot(const float* a, const float* b, int64_t n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
    s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
    s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
    s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
  }
  for (; i + 8 <= n; i += 8) s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
  float sum = sum_of(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// Two rows of x by four of w at a time: eight sums and six operands fit the sixteen registers.
IRPLAN_AVX2 void avx2_pair(const float* x0, const float* x1, const float* const* w, int64_t n, float* out) {
  __m256 sums[2][kTile];
  for (int c = 0; c < kTile; ++c) sums[0][c] = sums[1][c] = _mm256_setzero_ps();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 a = _mm256_loadu_ps(x0 + i), b = _mm256_loadu_ps(x1 + i);
    for (int c = 0; c < kTile; ++c) {
      const __m256 v = _mm256_loadu_ps(w[c] + i);
      sums[0][c] = _mm256_fmadd_ps(a, v, sums[0][c]);
      sums[1][c] = _mm256_fmadd_ps(b, v, sums[1][c]);
    }
  }
  for (int c = 0; c < kTile; ++c) {
    float first = sum_of(sums[0][c]), second = sum_of(sums[1][c]);
    for (int64_t j = i; j < n; ++j) {
      first += x0[j] * w[c][j];
      second += x1[j] * w[c][j];
    }
    out[c] = first;
    out[kTile + c] = second;
  }
}

IRPLAN_AVX2 void avx2_tile(const float* const* x, const float* const* w, int64_t n, float* out) {
  avx2_pair(x[0], x[1], w, n, out);
  avx2_pair(x[2], x[3], w, n, out + 2 * kTile);
}

IRPLAN_AVX2 void avx2_axpy(float* y, float a, const float* x, int64_t n) {
  const __m256 scale = _mm256_set1_ps(a);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(y + i, _mm256_fmadd_ps(scale, _mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)));
  for (; i < n; ++i) y[i] += a * x[i];
}

constexpr Simd kAvx2{"AVX2", avx2_dot, avx2_tile, avx2_axpy};

// ------------------------------------------------------------------------------------------------ AVX-512

#define IRPLAN_AVX512 __attribute__((target("avx512f")))

IRPLAN_AVX512 inline __mmask16 tail_mask(int64_t left) { return static_cast<__mmask16>((1u << left) - 1); }

IRPLAN_AVX512 float avx512_dot(const float* a, const float* b, int64_t n) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
    s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
    s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
    s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), s2);
    s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), s3);
  }
  for (; i + 16 <= n; i += 16) s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
  if (i < n) {
    const __mmask16 mask = tail_mask(n - i);
    s1 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + i), _mm512_maskz_loadu_ps(mask, b + i), s1);
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

IRPLAN_AVX512 void avx512_tile(const float* const* x, const float* const* w, int64_t n, float* out) {
  __m512 sums[kTile][kTile];
  for (auto& row : sums) {
    for (__m512& sum : row) sum = _mm512_setzero_ps();
  }
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = n - i >= 16 ? static_cast<__mmask16>(0xffff) : tail_mask(n - i);
    __m512 v[kTile];
    for (int c = 0; c < kTile; ++c) v[c] = _mm512_maskz_loadu_ps(mask, w[c] + i);
    for (int r = 0; r < kTile; ++r) {
      const __m512 a = _mm512_maskz_loadu_ps(mask, x[r] + i);
      for (int c = 0; c < kTile; ++c) sums[r][c] = _mm512_fmadd_ps(a, v[c], sums[r][c]);
    }
  }
  for (int r = 0; r < kTile; ++r) {
    for (int c = 0; c < kTile; ++c) out[r * kTile + c] = _mm512_reduce_add_ps(sums[r][c]);
  }
}

IRPLAN_AVX512 void avx512_axpy(float* y, float a, const float* x, int64_t n) {
  const __m512 scale = _mm512_set1_ps(a);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = n - i >= 16 ? static_cast<__mmask16>(0xffff) : tail_mask(n - i);
    const __m512 sum =
        _mm512_fmadd_ps(scale, _mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, y + i));
    _mm512_mask_storeu_ps(y + i, mask, sum);
  }
}

constexpr Simd kAvx512{"AVX-512", avx512_dot, avx512_tile, avx512_axpy};
#endif

struct Choice {
  const Simd* list[3] = {&kPortable, nullptr, nullptr};
  int count = 1;
  Choice() {
#ifdef IRPLAN_X86
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list[count++] = &kAvx2;
    if (__builtin_cpu_supports("avx512f")) list[count++] = &kAvx512;
#endif
  }
};

const Choice& choice() {
  static const Choice kChoice;
  return kChoice;
}

}  // namespace

const Simd& simd() { return *choice().list[choice().count - 1]; }

const Simd* const* all_simd(int* count) {
  *count = choice().count;
  return choice().list;
}

}  // namespace irplan::cpu
