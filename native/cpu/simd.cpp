#include "cpu/simd.h"

#include <cstring>

#include "ops/float_formats.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define IRPLAN_X86 1
#include <cpuid.h>
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

constexpr int kPanelWidth = 16;  // outputs of a panel

float stored(DType dtype, const std::byte* w, int64_t i) {
  if (dtype == DType::F32) {
    float value;
    std::memcpy(&value, w + 4 * i, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, w + 2 * i, 2);
  return dtype == DType::BF16 ? from_bf16(bits) : from_f16(bits);
}

void portable_panel(const float* const* x, int rows, DType dtype, const std::byte* w, int64_t n, float* out) {
  for (int r = 0; r < rows; ++r) {
    float sums[kPartial][kPanelWidth] = {};
    for (int64_t i = 0; i < n; ++i) {
      for (int c = 0; c < kPanelWidth; ++c)
        sums[i % kPartial][c] += x[r][i] * stored(dtype, w, i * kPanelWidth + c);
    }
    for (int c = 0; c < kPanelWidth; ++c)
      out[r * kPanelWidth + c] = (sums[0][c] + sums[1][c]) + (sums[2][c] + sums[3][c]);
  }
}

constexpr int kPortableRows = 8;
void portable_block(const float* x, int rows, const float* w, int64_t n, float* sums) {
  for (int64_t i = 0; i < n; ++i) {
    for (int r = 0; r < rows; ++r) {
      float* out = sums + (i % kPartial * kPortableRows + r) * kPanelWidth;
      for (int c = 0; c < kPanelWidth; ++c) out[c] += x[i * kPortableRows + r] * w[i * kPanelWidth + c];
    }
  }
}

void portable_widen(DType dtype, const std::byte* from, int64_t n, float* to) {
  for (int64_t i = 0; i < n; ++i) to[i] = stored(dtype, from, i);
}

constexpr Simd kPortable{.name = "portable",
                         .dot = portable_dot,
                         .tile = portable_tile,
                         .panel = portable_panel,
                         .few_rows = 1,
                         .block_rows = kPortableRows,
                         .block = portable_block,
                         .widen = portable_widen,
                         .axpy = portable_axpy};

#ifdef IRPLAN_X86
// ------------------------------------------------------------------------------------------------ AVX2

#define IRPLAN_AVX2 __attribute__((target("avx2,fma,f16c")))

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

struct Eight {  // 8 stored numbers as f32
  template <DType dtype>
  IRPLAN_AVX2 static __m256 load(const std::byte* w, int64_t i) {
    if constexpr (dtype == DType::F32) return _mm256_loadu_ps(reinterpret_cast<const float*>(w) + i);
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 2 * i));
    if constexpr (dtype == DType::F16) return _mm256_cvtph_ps(half);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
  }
};

// One row: two halves of the panel with four partial sums each.
template <DType dtype>
IRPLAN_AVX2 void avx2_panel_row(const float* x, const std::byte* w, int64_t n, float* out) {
  __m256 sums[kPartial][2];
  for (auto& s : sums) s[0] = s[1] = _mm256_setzero_ps();
  int64_t i = 0;
  for (; i + kPartial <= n; i += kPartial) {
    for (int p = 0; p < kPartial; ++p) {
      const __m256 a = _mm256_set1_ps(x[i + p]);
      for (int h = 0; h < 2; ++h)
        sums[p][h] = _mm256_fmadd_ps(a, Eight::load<dtype>(w, (i + p) * kPanelWidth + 8 * h), sums[p][h]);
    }
  }
  for (int p = 0; i < n; ++i, ++p) {
    for (int h = 0; h < 2; ++h)
      sums[p][h] =
          _mm256_fmadd_ps(_mm256_set1_ps(x[i]), Eight::load<dtype>(w, i * kPanelWidth + 8 * h), sums[p][h]);
  }
  for (int h = 0; h < 2; ++h)
    _mm256_storeu_ps(out + 8 * h, _mm256_add_ps(_mm256_add_ps(sums[0][h], sums[1][h]),
                                                _mm256_add_ps(sums[2][h], sums[3][h])));
}

IRPLAN_AVX2 void avx2_panel(const float* const* x, int rows, DType dtype, const std::byte* w, int64_t n,
                            float* out) {
  for (int r = 0; r < rows; ++r, out += kPanelWidth) {
    if (dtype == DType::F32)
      avx2_panel_row<DType::F32>(x[r], w, n, out);
    else if (dtype == DType::F16)
      avx2_panel_row<DType::F16>(x[r], w, n, out);
    else
      avx2_panel_row<DType::BF16>(x[r], w, n, out);
  }
}

// Six rows by a panel are twelve sums; with a column of the panel and a number of x they fill the sixteen
// registers. One partial sum at a time, since four of each would not fit: the columns it takes are a quarter.
constexpr int kAvx2Rows = 6;
template <int rows>
IRPLAN_AVX2 void avx2_block_rows(const float* x, const float* w, int64_t n, float* sums) {
  for (int p = 0; p < kPartial; ++p, sums += kAvx2Rows * kPanelWidth) {
    __m256 own[rows][2];
    for (int r = 0; r < rows; ++r) {
      for (int h = 0; h < 2; ++h) own[r][h] = _mm256_loadu_ps(sums + r * kPanelWidth + 8 * h);
    }
    for (int64_t i = p; i < n; i += kPartial) {
      const __m256 low = _mm256_loadu_ps(w + i * kPanelWidth),
                   high = _mm256_loadu_ps(w + i * kPanelWidth + 8);
      for (int r = 0; r < rows; ++r) {
        const __m256 a = _mm256_broadcast_ss(x + i * kAvx2Rows + r);
        own[r][0] = _mm256_fmadd_ps(a, low, own[r][0]);
        own[r][1] = _mm256_fmadd_ps(a, high, own[r][1]);
      }
    }
    for (int r = 0; r < rows; ++r) {
      for (int h = 0; h < 2; ++h) _mm256_storeu_ps(sums + r * kPanelWidth + 8 * h, own[r][h]);
    }
  }
}

IRPLAN_AVX2 void avx2_block(const float* x, int rows, const float* w, int64_t n, float* sums) {
  switch (rows) {
    case 1: return avx2_block_rows<1>(x, w, n, sums);
    case 2: return avx2_block_rows<2>(x, w, n, sums);
    case 3: return avx2_block_rows<3>(x, w, n, sums);
    case 4: return avx2_block_rows<4>(x, w, n, sums);
    case 5: return avx2_block_rows<5>(x, w, n, sums);
    default: return avx2_block_rows<kAvx2Rows>(x, w, n, sums);
  }
}

template <DType dtype>
IRPLAN_AVX2 void avx2_widen_of(const std::byte* from, int64_t n, float* to) {
  for (int64_t i = 0; i < n; i += 8) _mm256_storeu_ps(to + i, Eight::load<dtype>(from, i));
}
IRPLAN_AVX2 void avx2_widen(DType dtype, const std::byte* from, int64_t n, float* to) {
  if (dtype == DType::F32) return avx2_widen_of<DType::F32>(from, n, to);
  if (dtype == DType::F16) return avx2_widen_of<DType::F16>(from, n, to);
  avx2_widen_of<DType::BF16>(from, n, to);
}

constexpr Simd kAvx2{.name = "AVX2",
                     .dot = avx2_dot,
                     .tile = avx2_tile,
                     .panel = avx2_panel,
                     .few_rows = 2,
                     .block_rows = kAvx2Rows,
                     .block = avx2_block,
                     .widen = avx2_widen,
                     .axpy = avx2_axpy};

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

struct Sixteen {  // 16 stored numbers as f32
  template <DType dtype>
  IRPLAN_AVX512 static __m512 load(const std::byte* w, int64_t i) {
    if constexpr (dtype == DType::F32) return _mm512_loadu_ps(reinterpret_cast<const float*>(w) + i);
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + 2 * i));
    if constexpr (dtype == DType::F16) return _mm512_cvtph_ps(half);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
  }
};

// A column of the panel is loaded and converted once for all rows.
template <DType dtype, int rows>
IRPLAN_AVX512 void avx512_panel_rows(const float* const* x, const std::byte* w, int64_t n, float* out) {
  __m512 sums[rows][kPartial];
  for (auto& row : sums) {
    for (__m512& sum : row) sum = _mm512_setzero_ps();
  }
  int64_t i = 0;
  for (; i + kPartial <= n; i += kPartial) {
    for (int p = 0; p < kPartial; ++p) {
      const __m512 v = Sixteen::load<dtype>(w, (i + p) * kPanelWidth);
      for (int r = 0; r < rows; ++r) sums[r][p] = _mm512_fmadd_ps(_mm512_set1_ps(x[r][i + p]), v, sums[r][p]);
    }
  }
  for (int p = 0; i < n; ++i, ++p) {
    const __m512 v = Sixteen::load<dtype>(w, i * kPanelWidth);
    for (int r = 0; r < rows; ++r) sums[r][p] = _mm512_fmadd_ps(_mm512_set1_ps(x[r][i]), v, sums[r][p]);
  }
  for (int r = 0; r < rows; ++r)
    _mm512_storeu_ps(out + r * kPanelWidth, _mm512_add_ps(_mm512_add_ps(sums[r][0], sums[r][1]),
                                                          _mm512_add_ps(sums[r][2], sums[r][3])));
}

template <DType dtype>
IRPLAN_AVX512 void avx512_panel_of(const float* const* x, int rows, const std::byte* w, int64_t n,
                                   float* out) {
  static_assert(kPanelTile == 4);
  switch (rows) {
    case 1: return avx512_panel_rows<dtype, 1>(x, w, n, out);
    case 2: return avx512_panel_rows<dtype, 2>(x, w, n, out);
    case 3: return avx512_panel_rows<dtype, 3>(x, w, n, out);
    default: return avx512_panel_rows<dtype, 4>(x, w, n, out);
  }
}

IRPLAN_AVX512 void avx512_panel(const float* const* x, int rows, DType dtype, const std::byte* w, int64_t n,
                                float* out) {
  if (dtype == DType::F32) return avx512_panel_of<DType::F32>(x, rows, w, n, out);
  if (dtype == DType::F16) return avx512_panel_of<DType::F16>(x, rows, w, n, out);
  return avx512_panel_of<DType::BF16>(x, rows, w, n, out);
}

// Six rows with their four partial sums each: 24 of the 32 registers.
constexpr int kAvx512Rows = 6;
template <int rows>
IRPLAN_AVX512 void avx512_block_rows(const float* x, const float* w, int64_t n, float* sums) {
  __m512 own[kPartial][rows];
  for (int p = 0; p < kPartial; ++p) {
    for (int r = 0; r < rows; ++r) own[p][r] = _mm512_loadu_ps(sums + (p * kAvx512Rows + r) * kPanelWidth);
  }
  int64_t i = 0;
  for (; i + kPartial <= n; i += kPartial) {
    for (int p = 0; p < kPartial; ++p) {
      const __m512 v = _mm512_loadu_ps(w + (i + p) * kPanelWidth);
      for (int r = 0; r < rows; ++r)
        own[p][r] = _mm512_fmadd_ps(_mm512_set1_ps(x[(i + p) * kAvx512Rows + r]), v, own[p][r]);
    }
  }
  for (int p = 0; i < n; ++i, ++p) {
    const __m512 v = _mm512_loadu_ps(w + i * kPanelWidth);
    for (int r = 0; r < rows; ++r)
      own[p][r] = _mm512_fmadd_ps(_mm512_set1_ps(x[i * kAvx512Rows + r]), v, own[p][r]);
  }
  for (int p = 0; p < kPartial; ++p) {
    for (int r = 0; r < rows; ++r) _mm512_storeu_ps(sums + (p * kAvx512Rows + r) * kPanelWidth, own[p][r]);
  }
}

IRPLAN_AVX512 void avx512_block(const float* x, int rows, const float* w, int64_t n, float* sums) {
  switch (rows) {
    case 1: return avx512_block_rows<1>(x, w, n, sums);
    case 2: return avx512_block_rows<2>(x, w, n, sums);
    case 3: return avx512_block_rows<3>(x, w, n, sums);
    case 4: return avx512_block_rows<4>(x, w, n, sums);
    case 5: return avx512_block_rows<5>(x, w, n, sums);
    default: return avx512_block_rows<kAvx512Rows>(x, w, n, sums);
  }
}

template <DType dtype>
IRPLAN_AVX512 void avx512_widen_of(const std::byte* from, int64_t n, float* to) {
  for (int64_t i = 0; i < n; i += 16) _mm512_storeu_ps(to + i, Sixteen::load<dtype>(from, i));
}
IRPLAN_AVX512 void avx512_widen(DType dtype, const std::byte* from, int64_t n, float* to) {
  if (dtype == DType::F32) return avx512_widen_of<DType::F32>(from, n, to);
  if (dtype == DType::F16) return avx512_widen_of<DType::F16>(from, n, to);
  avx512_widen_of<DType::BF16>(from, n, to);
}

constexpr Simd kAvx512{.name = "AVX-512",
                       .dot = avx512_dot,
                       .tile = avx512_tile,
                       .panel = avx512_panel,
                       .few_rows = 4,
                       .block_rows = kAvx512Rows,
                       .block = avx512_block,
                       .widen = avx512_widen,
                       .axpy = avx512_axpy};
#endif

#ifdef IRPLAN_X86
// F16C, which clang 14's __builtin_cpu_supports does not know.
bool converts_halves() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
}
#endif

struct Choice {
  const Simd* list[3] = {&kPortable, nullptr, nullptr};
  int count = 1;
  Choice() {
#ifdef IRPLAN_X86
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && converts_halves())
      list[count++] = &kAvx2;
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
