// The loops of simd.h that multiply in whole numbers, and the row of all of them. Included after loops.h.
#pragma once

#include "cpu/isa/isa.h"

namespace irplan::cpu {
namespace {

inline float nearest_f16(float x) {
  std::byte stored[2 * kLanes];
  to_f16(all(x), stored);
  float numbers[kLanes];
  store(numbers, from_f16(stored));
  return numbers[0];
}

// As ops/whole_rows.h says it, number by number.
void quantise(const float* x, int64_t n, int16_t* to, float* scales) {
  for (int64_t i = 0; i < n; i += kWholeColumns, ++scales) {
    Vec most = zero(), probe = zero();
    for (int v = 0; v < kWholeColumns; v += kLanes) {
      const Vec a = load(x + i + v);
      most = larger(most, larger(a, subtract(zero(), a)));
      probe = add(probe, multiply(a, zero()));  // NaN where a number is not finite
    }
    float lanes[kLanes];
    store(lanes, most);
    float largest = 0;
    for (const float lane : lanes) largest = lane > largest ? lane : largest;
    constexpr float kMost = 65504;  // that f16 holds
    const float d = largest / 127;
    *scales = nearest_f16(d < kMost ? d : kMost) + total(probe);
    const bool any = *scales > 0;
    const Vec divisor = all(any ? *scales : 1);
    for (int v = 0; v < kWholeColumns; v += kLanes) {
      Vec q = any ? divide(load(x + i + v), divisor) : zero();
      q = larger(all(-127), q);
      q = subtract(zero(), larger(all(-127), subtract(zero(), q)));
      store(lanes, nearest(q));
      for (int l = 0; l < kLanes; ++l) to[i + v + l] = static_cast<int16_t>(lanes[l]);
    }
  }
}

template <DType dtype>
inline void two_columns(const std::byte* columns, int64_t i, Ints* to) {
  Column two[2];
  if constexpr (dtype == DType::Q8_0) {
    two[0] = load_column(columns + i * kPanel);
    two[1] = load_column(columns + (i + 1) * kPanel);
  } else {
    code_columns(columns + i * kPanel / 2, numbers_of(dtype), two);
  }
  pair_columns(two[0], two[1], to);
}

constexpr int column_bytes(DType dtype) { return dtype == DType::Q8_0 ? kPanel : kPanel / 2; }

template <DType dtype, int rows, int panels>
void few_whole_of(const int16_t* const* x, const float* const* x_scales, const std::byte* w,
                  int64_t panel_bytes, int64_t n, float* out, int stride) {
  constexpr int kTogether = columns_together(dtype);
  const int64_t unit = scale_bytes(dtype) + kTogether * column_bytes(dtype);
  for (int r = 0; r < rows; ++r) {
    for (int i = 0; i < panels * kPanel; ++i) out[r * stride * kPanel + i] = 0;
  }
  for (int64_t begin = 0; begin < n; begin += kWholeColumns) {
    const std::byte* block = w + begin / kTogether * unit;
    const std::byte* columns = block + scale_bytes(dtype) + begin % kTogether * column_bytes(dtype);
    Ints sums[rows][panels][kVectors];
    for (int r = 0; r < rows; ++r) {
      for (int p = 0; p < panels; ++p) {
        for (int v = 0; v < kVectors; ++v) sums[r][p][v] = no_ints();
      }
    }
    for (int64_t i = 0; i < kWholeColumns; i += 2) {
      for (int p = 0; p < panels; ++p) {
        Ints pairs[kVectors];
        two_columns<dtype>(columns + p * panel_bytes, i, pairs);
        for (int r = 0; r < rows; ++r) {
          const Ints a = one_pair(x[r] + begin + i);
          for (int v = 0; v < kVectors; ++v) sums[r][p][v] = multiply_pairs(pairs[v], a, sums[r][p][v]);
        }
      }
    }
    for (int p = 0; p < panels; ++p) {
      float scales[kPanel];
      scales_of(dtype, block + p * panel_bytes, scales);
      for (int r = 0; r < rows; ++r) {
        const Vec own = all(x_scales[r][begin / kWholeColumns]);
        for (int v = 0; v < kVectors; ++v) {
          float* to = out + (r * stride + p) * kPanel + v * kLanes;
          const Vec scale = multiply(load(scales + v * kLanes), own);
          store(to, fused(from_ints(sums[r][p][v]), scale, load(to)));
        }
      }
    }
  }
}

// The same of codes of four bits where an instruction set multiplies them as bytes; the sums are the same
// numbers.
template <DType dtype, int rows, int panels, class Of>
void few_codes_of(const int16_t* const* x, const float* const* x_scales, const std::byte* w,
                  int64_t panel_bytes, int64_t n, float* out, int stride) {
  constexpr bool e2m1 = dtype == DType::MXFP4;
  constexpr int kTogether = columns_together(dtype), kSteps = e2m1 ? Of::kStepsE2M1 : Of::kSteps;
  constexpr int32_t kLowest = e2m1 ? -12 : -8;
  const int64_t unit = scale_bytes(dtype) + kTogether * column_bytes(dtype);
  for (int r = 0; r < rows; ++r) {
    for (int i = 0; i < panels * kPanel; ++i) out[r * stride * kPanel + i] = 0;
  }
  for (int64_t begin = 0; begin < n; begin += kWholeColumns) {
    const std::byte* block = w + begin / kTogether * unit;
    const std::byte* columns = block + scale_bytes(dtype) + begin % kTogether * column_bytes(dtype);
    int8_t bytes[rows][kWholeColumns];
    int32_t x_sums[rows];
    for (int r = 0; r < rows; ++r) x_sums[r] = Of::narrow(x[r] + begin, bytes[r]);
    Ints sums[rows][panels][kVectors];
    for (int r = 0; r < rows; ++r) {
      for (int p = 0; p < panels; ++p) {
        for (int v = 0; v < kVectors; ++v) sums[r][p][v] = Of::all(kLowest * x_sums[r]);
      }
    }
    for (int half = 0; half < kWholeColumns; half += 4 * kSteps) {
      typename Of::Sums own[rows][panels][kVectors];
      for (int r = 0; r < rows; ++r) {
        for (int p = 0; p < panels; ++p) {
          for (int v = 0; v < kVectors; ++v) own[r][p][v] = Of::none();
        }
      }
      for (int i = half; i < half + 4 * kSteps; i += 4) {
        for (int p = 0; p < panels; ++p) {
          typename Of::Sums codes[kVectors];
          Of::template columns<e2m1>(columns + p * panel_bytes + i * kPanel / 2, codes);
          for (int r = 0; r < rows; ++r) {
            const auto four = Of::four(bytes[r] + i);
            for (int v = 0; v < kVectors; ++v) own[r][p][v] = Of::multiply(codes[v], four, own[r][p][v]);
          }
        }
      }
      for (int r = 0; r < rows; ++r) {
        for (int p = 0; p < panels; ++p) {
          for (int v = 0; v < kVectors; ++v) sums[r][p][v] = Of::add(sums[r][p][v], Of::total(own[r][p][v]));
        }
      }
    }
    for (int p = 0; p < panels; ++p) {
      float scales[kPanel];
      scales_of(dtype, block + p * panel_bytes, scales);
      for (int r = 0; r < rows; ++r) {
        const Vec own = all(x_scales[r][begin / kWholeColumns]);
        for (int v = 0; v < kVectors; ++v) {
          float* to = out + (r * stride + p) * kPanel + v * kLanes;
          const Vec scale = multiply(load(scales + v * kLanes), own);
          store(to, fused(from_ints(sums[r][p][v]), scale, load(to)));
        }
      }
    }
  }
}

template <DType dtype, int rows, int panels, class Of = CodeBytes>
void few_whole_by(const int16_t* const* x, const float* const* x_scales, const std::byte* w,
                  int64_t panel_bytes, int64_t n, float* out, int stride) {
  if constexpr (dtype == DType::Q8_0 || std::is_void_v<Of>)
    few_whole_of<dtype, rows, panels>(x, x_scales, w, panel_bytes, n, out, stride);
  else
    few_codes_of<dtype, rows, panels, Of>(x, x_scales, w, panel_bytes, n, out, stride);
}

// A dtype at a time, so that its columns are read without a question.
template <class Work>
inline void for_whole(DType dtype, const Work& work) {
  switch (dtype) {
    case DType::Q8_0: return work.template operator()<DType::Q8_0>();
    case DType::Q4_0: return work.template operator()<DType::Q4_0>();
    case DType::I4G128: return work.template operator()<DType::I4G128>();
    default: return work.template operator()<DType::MXFP4>();
  }
}

void few_whole(const int16_t* const* x, const float* const* x_scales, int rows, DType dtype,
               const std::byte* w, int64_t panel_bytes, int panels, int64_t n, float* out) {
  for_whole(dtype, [&]<DType known>() {
    for_count<kMostFewRows>(rows, [&]<int count>() {
      constexpr int kSome = panels_together(count);
      int p = 0;
      for (; p + kSome <= panels; p += kSome)
        apart(few_whole_by<known, count, kSome>, x, x_scales, w + p * panel_bytes, panel_bytes, n,
              out + p * kPanel, panels);
      for (; p < panels; ++p)
        apart(few_whole_by<known, count, 1>, x, x_scales, w + p * panel_bytes, panel_bytes, n,
              out + p * kPanel, panels);
    });
  });
}

void widen_whole(DType dtype, const std::byte* w, int64_t n, int16_t* to, float* scales) {
  for_whole(dtype, [&]<DType known>() {
    constexpr int kTogether = columns_together(known);
    for (int64_t begin = 0; begin < n; begin += kTogether, scales += kPanel) {
      scales_of(known, w, scales);
      w += scale_bytes(known);
      for (int64_t i = 0; i < kTogether; i += 2, to += 2 * kPanel) {
        Ints pairs[kVectors];
        two_columns<known>(w, i, pairs);
        for (int v = 0; v < kVectors; ++v) store_pairs(to + 2 * v * kLanes, pairs[v]);
      }
      w += kTogether * column_bytes(known);
    }
  });
}

template <int rows>
void block_whole_of(const int16_t* x, const float* x_scales, const int16_t* w, int64_t n, int together,
                    const float* scales, float* sums) {
  for (int64_t begin = 0; begin < n; begin += kWholeColumns) {
    Ints own[rows][kVectors];
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < kVectors; ++v) own[r][v] = no_ints();
    }
    for (int64_t i = begin; i < begin + kWholeColumns; i += 2) {
      Ints column[kVectors];
      for (int v = 0; v < kVectors; ++v) column[v] = load_pairs(w + i * kPanel + 2 * v * kLanes);
      for (int r = 0; r < rows; ++r) {
        const Ints a = one_pair(x + i * kWholeRows + 2 * r);
        for (int v = 0; v < kVectors; ++v) own[r][v] = multiply_pairs(column[v], a, own[r][v]);
      }
    }
    const float* of_block = scales + begin / together * kPanel;
    for (int r = 0; r < rows; ++r) {
      const Vec factor = all(x_scales[begin / kWholeColumns * kWholeRows + r]);
      for (int v = 0; v < kVectors; ++v) {
        float* to = sums + r * kPanel + v * kLanes;
        store(to, fused(from_ints(own[r][v]), multiply(load(of_block + v * kLanes), factor), load(to)));
      }
    }
  }
}

void block_whole(const int16_t* x, const float* x_scales, int rows, const int16_t* w, int64_t n, int together,
                 const float* scales, float* sums) {
  for_count<kWholeRows>(
      rows, [&]<int count>() { block_whole_of<count>(x, x_scales, w, n, together, scales, sums); });
}

// ------------------------------------------------------------------------------------------------ the row

constexpr Simd row_of_loops(const char* name, const char* title, bool (*here)()) {
  return {.name = name,
          .title = title,
          .here = here,
          .dot = dot,
          .tile = tile,
          .scale_scores = scale_scores,
          .weigh = weigh,
          .axpy = axpy,
          .exponentials = exponentials,
          .gate = gate,
          .widen = widen,
          .narrow = narrow,
          .few = few,
          .widen_panel = widen_panel,
          .block_rows = kBlockRows,
          .block = block,
          .quantise = quantise,
          .few_whole = few_whole,
          .widen_whole = widen_whole,
          .whole_rows = kWholeRows,
          .block_whole = block_whole};
}

}  // namespace
}  // namespace irplan::cpu
