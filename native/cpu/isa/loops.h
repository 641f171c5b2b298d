// The loops of simd.h, written once over the vectors of a vec_*.h, which is included before this file. All in
// unnamed namespaces: isa.h says why.
#pragma once

#include "cpu/isa/isa.h"

namespace irplan::cpu {
namespace {

constexpr int kVectors = kPanel / kLanes;  // of a panel's column

// Calls work.template operator()<count>() for the count, which is at most `most`: loops over rows that are
// known when this is compiled keep their sums in registers.
template <int most, class Work>
inline void for_count(int count, const Work& work) {
  if constexpr (most > 1) {
    if (count < most) return for_count<most - 1>(count, work);
  }
  work.template operator()<most>();
}

// Calls a loop that fills the registers. In WebAssembly as a function of its own, which nothing merges into
// others: engines keep the numbers of a function of thousands of instructions in memory, and it is three
// times as slow.
template <class... Args>
inline void apart(void (*loop)(Args...), std::type_identity_t<Args>... args) {
#ifdef __wasm__
  void (*volatile unknown)(Args...) = loop;
  unknown(args...);
#else
  loop(args...);
#endif
}

// ------------------------------------------------------------------------------------------------ lines

// The last n % kLanes numbers, and zeros.
inline Vec load_rest(const float* from, int64_t count) {
  float rest[kLanes] = {};
  for (int64_t i = 0; i < count; ++i) rest[i] = from[i];
  return load(rest);
}

template <int rows, int columns>
void tile_of(const float* const* x, const float* const* w, int64_t n, float* out, int64_t out_step) {
  Vec sums[rows][columns];
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) sums[r][c] = zero();
  }
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    Vec v[columns];
    for (int c = 0; c < columns; ++c) v[c] = load(w[c] + i);
    for (int r = 0; r < rows; ++r) {
      const Vec a = load(x[r] + i);
      for (int c = 0; c < columns; ++c) sums[r][c] = fused(a, v[c], sums[r][c]);
    }
  }
  if (i < n) {
    for (int r = 0; r < rows; ++r) {
      const Vec a = load_rest(x[r] + i, n - i);
      for (int c = 0; c < columns; ++c) sums[r][c] = fused(a, load_rest(w[c] + i, n - i), sums[r][c]);
    }
  }
  for (int r = 0; r < rows; ++r) {
    if constexpr (columns == 4)
      store_totals(out + r * out_step, sums[r]);
    else
      for (int c = 0; c < columns; ++c) out[r * out_step + c] = total(sums[r][c]);
  }
}

float dot(const float* a, const float* b, int64_t n) {
  float sum;
  tile_of<1, 1>(&a, &b, n, &sum, 1);
  return sum;
}

constexpr int kTileRows = kLanes == 8 ? 2 : kTile;  // whose sums with kTile columns fit the registers
void tile(const float* const* x, int rows, const float* const* w, int64_t n, float* out, int64_t out_step) {
  for (int r = 0; r < rows; r += kTileRows) {
    for_count<kTileRows>(
        rows - r, [&]<int count>() { tile_of<count, kTile>(x + r, w, n, out + r * out_step, out_step); });
  }
}

float scale_scores(float* z, int64_t n, float factor, float most) {
  const Vec factors = all(factor);
  Vec largest = all(most);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vec scaled = multiply(load(z + i), factors);
    largest = larger(scaled, largest);  // NaN is larger than nothing
    store(z + i, scaled);
  }
  float lanes[kLanes];
  store(lanes, largest);
  for (const float lane : lanes) most = lane > most ? lane : most;
  for (; i < n; ++i) {
    z[i] *= factor;
    most = z[i] > most ? z[i] : most;
  }
  return most;
}

void axpy(float* y, float a, const float* x, int64_t n) {
  const Vec factor = all(a);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, fused(factor, load(x + i), load(y + i)));
  for (; i < n; ++i) y[i] += a * x[i];
}

constexpr int kWeighRows = 4;
template <int rows, int vectors>
void weigh_of(const float* a, int64_t a_step, const float* const* x, int64_t count, int64_t at, float* y,
              int64_t y_step) {
  Vec sums[rows][vectors];
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) sums[r][v] = load(y + r * y_step + at + v * kLanes);
  }
  for (int64_t j = 0; j < count; ++j) {
    Vec values[vectors];
    for (int v = 0; v < vectors; ++v) values[v] = load(x[j] + at + v * kLanes);
    for (int r = 0; r < rows; ++r) {
      const Vec factor = all(a[r * a_step + j]);
      for (int v = 0; v < vectors; ++v) sums[r][v] = fused(factor, values[v], sums[r][v]);
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) store(y + r * y_step + at + v * kLanes, sums[r][v]);
  }
}

template <int rows>
void weigh_rows(const float* a, int64_t a_step, const float* const* x, int64_t count, int64_t n, float* y,
                int64_t y_step) {
  constexpr int kMost = rows == 1 ? 8 : rows == 2 ? 4 : 2;  // sums enough to hide the latency of adding
  int64_t at = 0;
  for (; at + kMost * kLanes <= n; at += kMost * kLanes)
    weigh_of<rows, kMost>(a, a_step, x, count, at, y, y_step);
  for (; at + 2 * kLanes <= n; at += 2 * kLanes) weigh_of<rows, 2>(a, a_step, x, count, at, y, y_step);
  for (; at + kLanes <= n; at += kLanes) weigh_of<rows, 1>(a, a_step, x, count, at, y, y_step);
  for (; at < n; ++at) {
    for (int r = 0; r < rows; ++r) {
      for (int64_t j = 0; j < count; ++j) y[r * y_step + at] += a[r * a_step + j] * x[j][at];
    }
  }
}

void weigh(const float* a, int64_t a_step, int rows, const float* const* x, int64_t count, int64_t n,
           float* y, int64_t y_step) {
  for (int r = 0; r < rows; r += kWeighRows) {
    for_count<kWeighRows>(rows - r, [&]<int some>() {
      weigh_rows<some>(a + r * a_step, a_step, x, count, n, y + r * y_step, y_step);
    });
  }
}

// e^x to about an ulp: 2^n e^r with |r| <= ln 2 / 2, and a polynomial for e^r (Cephes' expf). NaN stays, and
// what is smaller than any number is 0.
inline Vec exponential(Vec x) {
  constexpr float kLowest = -104.0f, kHighest = 89.0f;  // 0, and infinity
  x = larger(all(kLowest), x);
  x = subtract(zero(), larger(all(-kHighest), subtract(zero(), x)));
  const Vec n = nearest(multiply(x, all(1.44269504088896341f)));
  Vec r = fused(n, all(-0.693359375f), x);
  r = fused(n, all(2.12194440e-4f), r);
  Vec p = all(1.9875691500e-4f);
  p = fused(p, r, all(1.3981999507e-3f));
  p = fused(p, r, all(8.3334519073e-3f));
  p = fused(p, r, all(4.1665795894e-2f));
  p = fused(p, r, all(1.6666665459e-1f));
  p = fused(p, r, all(5.0000001201e-1f));
  p = add(fused(p, multiply(r, r), r), all(1));
  const Vec half = nearest(multiply(n, all(0.5f)));  // 2^n itself need not be a normal number
  return multiply(multiply(p, power_of_two(half)), power_of_two(subtract(n, half)));
}

float exponentials(float* z, int64_t n, float most) {
  const Vec least = all(most);
  Vec sums = zero();
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vec e = exponential(subtract(load(z + i), least));
    sums = add(sums, e);
    store(z + i, e);
  }
  float sum = total(sums);
  if (i < n) {
    float rest[kLanes] = {};
    for (int64_t j = i; j < n; ++j) rest[j - i] = z[j];
    store(rest, exponential(subtract(load(rest), least)));
    for (int64_t j = i; j < n; ++j) sum += z[j] = rest[j - i];
  }
  return sum;
}

// x sigmoid(z): silu with z = x, gelu_tanh with z = 2 sqrt(2 / pi) (x + 0.044715 x^3), since
// (1 + tanh(z / 2)) / 2 = sigmoid(z).
template <bool gelu>
inline Vec gate_of(Vec x) {
  const Vec cubic = fused(multiply(multiply(x, x), x), all(0.044715f), x);
  const Vec z = gelu ? multiply(cubic, all(1.5957691216057308f)) : x;
  return divide(x, add(all(1), exponential(subtract(zero(), z))));
}

template <bool gelu>
void gate_all(const float* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, gate_of<gelu>(load(x + i)));
  if (i == n) return;
  float rest[kLanes];
  store(rest, gate_of<gelu>(load_rest(x + i, n - i)));
  for (int64_t j = i; j < n; ++j) y[j] = rest[j - i];
}
void gate(bool gelu, const float* x, int64_t n, float* y) {
  gelu ? gate_all<true>(x, n, y) : gate_all<false>(x, n, y);
}

// ------------------------------------------------------------------------------------------------ formats

template <DType dtype>
inline Vec stored(const std::byte* w, int64_t i) {
  if constexpr (dtype == DType::F32) return load(reinterpret_cast<const float*>(w) + i);
  if constexpr (dtype == DType::F16) return from_f16(w + 2 * i);
  if constexpr (dtype == DType::BF16) return from_bf16(w + 2 * i);
  if constexpr (dtype == DType::F8E4M3) return from_e4m3(w + i);
  if constexpr (dtype == DType::F8E5M2) return from_e5m2(w + i);
  return zero();
}

constexpr int8_t kMinusEight[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
constexpr int8_t kTwiceE2M1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
inline const int8_t* numbers_of(DType dtype) { return dtype == DType::MXFP4 ? kTwiceE2M1 : kMinusEight; }

inline float half_of_power(std::byte exponent) {  // 2^(s - 127) / 2; beside kTwiceE2M1
  const auto s = static_cast<uint32_t>(exponent);
  uint32_t bits = s > 1 ? (s - 1) << 23 : 0x00200000u << s;
  bits = s == 255 ? 0x7f800000u : bits;
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}
inline float one_f16(const std::byte* at) {
  std::byte padded[2 * kLanes] = {};
  __builtin_memcpy(padded, at, 2);
  float numbers[kLanes];
  store(numbers, from_f16(padded));
  return numbers[0];
}

// A plain dtype's columns in a panel, one after another.
template <DType dtype>
struct Plain {
  static constexpr int kStep = 1;  // columns that are read at once
  static constexpr bool kScaled = false;
  static constexpr int kBytes =  // of a column
      kPanel * (dtype == DType::F32                           ? 4
                : dtype == DType::F16 || dtype == DType::BF16 ? 2
                                                              : 1);
  static void columns(const std::byte* at, int64_t i, DType, Vec* to) {
    for (int v = 0; v < kVectors; ++v) to[v] = stored<dtype>(at, i * kPanel + v * kLanes);
  }
};
// Blocks of bytes: 16 scales, then the columns.
struct Bytes {
  static constexpr int kStep = 1, kBytes = kPanel;
  static constexpr bool kScaled = true;
  static void columns(const std::byte* at, int64_t i, DType, Vec* to) { column_of_i8(at + i * kPanel, to); }
};
// Blocks of codes of four bits: 16 scales, then two columns at a time, the first of them in the low halves.
struct Codes {
  static constexpr int kStep = 2, kBytes = kPanel / 2;
  static constexpr bool kScaled = true;
  static void columns(const std::byte* at, int64_t i, DType dtype, Vec* to) {
    from_codes(at + i * kBytes, numbers_of(dtype), to);
  }
};

template <class Work>
inline void for_format(DType dtype, const Work& work) {
  switch (dtype) {
    case DType::F32: return work.template operator()<Plain<DType::F32>>();
    case DType::F16: return work.template operator()<Plain<DType::F16>>();
    case DType::BF16: return work.template operator()<Plain<DType::BF16>>();
    case DType::F8E4M3: return work.template operator()<Plain<DType::F8E4M3>>();
    case DType::F8E5M2: return work.template operator()<Plain<DType::F8E5M2>>();
    case DType::Q8_0: return work.template operator()<Bytes>();
    default: return work.template operator()<Codes>();
  }
}

inline int scale_bytes(DType dtype) { return dtype == DType::MXFP4 ? kPanel : 2 * kPanel; }
inline void scales_of(DType dtype, const std::byte* at, float* to) {
  if (dtype == DType::MXFP4) {
    for (int c = 0; c < kPanel; ++c) to[c] = half_of_power(at[c]);
  } else {
    for (int v = 0; v < kVectors; ++v) store(to + v * kLanes, from_f16(at + 2 * v * kLanes));
  }
}

// ------------------------------------------------------------------------------------------------ panels

constexpr int kFewSums = kLanes <= 8 ? 8 : 16;  // vectors of sums that `few` keeps in registers
constexpr int panels_together(int rows) {
  const int some = kFewSums / (rows * kVectors);
  return some < 1 ? 1 : some > kMostFewPanels ? kMostFewPanels : some;
}

// out[(r * stride + p) * kPanel + c]
template <class Format, int rows, int panels>
void few_of(const float* const* x, DType dtype, const std::byte* w, int64_t panel_bytes, int64_t n,
            float* out, int stride) {
  const int together = columns_together(dtype);
  for (int r = 0; r < rows; ++r) {
    for (int i = 0; i < panels * kPanel; ++i) out[r * stride * kPanel + i] = 0;
  }
  for (int64_t begin = 0; begin < n; begin += together) {
    const int64_t count = n - begin < together ? n - begin : together;
    const std::byte* columns = w;
    if constexpr (Format::kScaled) columns += scale_bytes(dtype);
    Vec sums[rows][panels][kVectors];
    for (int r = 0; r < rows; ++r) {
      for (int p = 0; p < panels; ++p) {
        for (int v = 0; v < kVectors; ++v) sums[r][p][v] = zero();
      }
    }
    for (int64_t i = 0; i < count; i += Format::kStep) {
      for (int p = 0; p < panels; ++p) {
        Vec numbers[Format::kStep * kVectors];
        Format::columns(columns + p * panel_bytes, i, dtype, numbers);
        for (int s = 0; s < Format::kStep; ++s) {
          for (int r = 0; r < rows; ++r) {
            const Vec a = all(x[r][begin + i + s]);
            for (int v = 0; v < kVectors; ++v)
              sums[r][p][v] = fused(a, numbers[s * kVectors + v], sums[r][p][v]);
          }
        }
      }
    }
    for (int p = 0; p < panels; ++p) {
      float scales[kPanel];
      if constexpr (Format::kScaled) scales_of(dtype, w + p * panel_bytes, scales);
      for (int r = 0; r < rows; ++r) {
        for (int v = 0; v < kVectors; ++v) {
          float* to = out + (r * stride + p) * kPanel + v * kLanes;
          if constexpr (Format::kScaled)
            store(to, fused(sums[r][p][v], load(scales + v * kLanes), load(to)));
          else
            store(to, add(load(to), sums[r][p][v]));
        }
      }
    }
    w = columns + count * Format::kBytes;
  }
}

void few(const float* const* x, int rows, DType dtype, const std::byte* w, int64_t panel_bytes, int panels,
         int64_t n, float* out) {
  for_format(dtype, [&]<class Format>() {
    for_count<kMostFewRows>(rows, [&]<int count>() {
      constexpr int kSome = panels_together(count);
      int p = 0;
      for (; p + kSome <= panels; p += kSome)
        apart(few_of<Format, count, kSome>, x, dtype, w + p * panel_bytes, panel_bytes, n, out + p * kPanel,
              panels);
      for (; p < panels; ++p)
        apart(few_of<Format, count, 1>, x, dtype, w + p * panel_bytes, panel_bytes, n, out + p * kPanel,
              panels);
    });
  });
}

void widen_panel(DType dtype, const std::byte* w, int64_t n, float* to, float* scales) {
  for_format(dtype, [&]<class Format>() {
    const int together = columns_together(dtype);
    for (int64_t begin = 0; begin < n; begin += together) {
      const int64_t count = n - begin < together ? n - begin : together;
      if constexpr (Format::kScaled) {
        scales_of(dtype, w, scales);
        scales += kPanel;
        w += scale_bytes(dtype);
      }
      for (int64_t i = 0; i < count; i += Format::kStep, to += Format::kStep * kPanel) {
        Vec numbers[Format::kStep * kVectors];
        Format::columns(w, i, dtype, numbers);
        for (int v = 0; v < Format::kStep * kVectors; ++v) store(to + v * kLanes, numbers[v]);
      }
      w += count * Format::kBytes;
    }
  });
}

template <int rows>
void block_of(const float* x, const float* w, int64_t n, int together, const float* scales, float* sums) {
  for (int64_t begin = 0; begin < n; begin += together) {
    const int64_t end = n - begin < together ? n : begin + together;
    Vec own[rows][kVectors];
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < kVectors; ++v) own[r][v] = zero();
    }
    for (int64_t i = begin; i < end; ++i) {
      Vec column[kVectors];
      for (int v = 0; v < kVectors; ++v) column[v] = load(w + i * kPanel + v * kLanes);
      for (int r = 0; r < rows; ++r) {
        const Vec a = all(x[i * kBlockRows + r]);
        for (int v = 0; v < kVectors; ++v) own[r][v] = fused(a, column[v], own[r][v]);
      }
    }
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        float* to = sums + r * kPanel + v * kLanes;
        store(to, scales ? fused(own[r][v], load(scales + v * kLanes), load(to)) : add(load(to), own[r][v]));
      }
    }
    if (scales) scales += kPanel;
  }
}

void block(const float* x, int rows, const float* w, int64_t n, int together, const float* scales,
           float* sums) {
  for_count<kBlockRows>(rows, [&]<int count>() { block_of<count>(x, w, n, together, scales, sums); });
}

// ------------------------------------------------------------------------------------------------ lines of
// dtypes

template <DType dtype>
void widen_plain(const std::byte* from, int64_t n, float* to) {
  constexpr int kItem = Plain<dtype>::kBytes / kPanel;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, stored<dtype>(from, i));
  if (i == n) return;
  alignas(16) std::byte rest[kLanes * kItem] = {};
  __builtin_memcpy(rest, from + i * kItem, static_cast<size_t>((n - i) * kItem));
  float numbers[kLanes];
  store(numbers, stored<dtype>(rest, 0));
  for (int64_t j = i; j < n; ++j) to[j] = numbers[j - i];
}

void widen_bytes(const std::byte* from, int64_t n, float* to) {  // q8_0: a scale, 32 bytes
  for (int64_t i = 0; i < n; i += 32, from += 34) {
    const Vec scale = all(one_f16(from));
    for (int c = 0; c < 32; c += kPanel) {
      Vec numbers[kVectors];
      column_of_i8(from + 2 + c, numbers);
      for (int v = 0; v < kVectors; ++v) store(to + i + c + v * kLanes, multiply(scale, numbers[v]));
    }
  }
}

// A scale, then codes: of q4_0 the number j low and j + 16 high, of the others 2j low and 2j + 1 high.
void widen_codes(DType dtype, const std::byte* from, int64_t n, float* to) {
  const int together = columns_together(dtype), header = dtype == DType::MXFP4 ? 1 : 2;
  for (int64_t i = 0; i < n; i += together) {
    const Vec scale = all(header == 1 ? half_of_power(*from) : one_f16(from));
    from += header;
    for (int64_t part = i; part < i + together; part += 32, from += 16) {
      Vec numbers[2 * kVectors];
      from_codes(from, numbers_of(dtype), numbers);
      float held[32];
      float* out = dtype == DType::Q4_0 ? to + part : held;
      for (int v = 0; v < 2 * kVectors; ++v) store(out + v * kLanes, multiply(scale, numbers[v]));
      for (int j = 0; out == held && j < 16; ++j) {
        to[part + 2 * j] = held[j];
        to[part + 2 * j + 1] = held[16 + j];
      }
    }
  }
}

void widen(DType dtype, const std::byte* from, int64_t n, float* to) {
  switch (dtype) {
    case DType::F32: return widen_plain<DType::F32>(from, n, to);
    case DType::F16: return widen_plain<DType::F16>(from, n, to);
    case DType::BF16: return widen_plain<DType::BF16>(from, n, to);
    case DType::F8E4M3: return widen_plain<DType::F8E4M3>(from, n, to);
    case DType::F8E5M2: return widen_plain<DType::F8E5M2>(from, n, to);
    case DType::Q8_0: return widen_bytes(from, n, to);
    default: return widen_codes(dtype, from, n, to);
  }
}

void narrow(DType dtype, const float* from, int64_t n, std::byte* to) {
  const auto put = [dtype](Vec v, std::byte* at) { dtype == DType::F16 ? to_f16(v, at) : to_bf16(v, at); };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) put(load(from + i), to + 2 * i);
  if (i == n) return;
  std::byte rest[2 * kLanes];
  put(load_rest(from + i, n - i), rest);
  __builtin_memcpy(to + 2 * i, rest, static_cast<size_t>(2 * (n - i)));
}

}  // namespace
}  // namespace irplan::cpu
