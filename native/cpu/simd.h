// The few loops that the processor's vector units speed up; chosen once for the machine that runs them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "irplan/dtype.h"

namespace irplan::cpu {

constexpr int kPanelTile = 4;  // rows of x that `panel` multiplies at once
constexpr int kPartial = 4;    // partial sums of an output of a panel: of every fourth product each
constexpr int kTile = 4;       // rows of each operand that `tile` multiplies at once

struct Simd {
  const char* name;
  // Σ a[i] b[i]
  float (*dot)(const float* a, const float* b, int64_t n);
  // out[r * kTile + c] = Σ x[r][i] w[c][i]
  void (*tile)(const float* const* x, const float* const* w, int64_t n, float* out);
  // out[r * 16 + c] = Σ x[r][i] w[i * 16 + c] for up to kPanelTile rows, w of f32, f16 or bf16. A sum is
  // added up in one order, whatever the number of rows: four partial sums, of every fourth i each.
  void (*panel)(const float* const* x, int rows, DType dtype, const std::byte* w, int64_t n, float* out);
  // The same sums for many rows, a block of columns at a time. Rows of x are interleaved, x[i * block_rows +
  // r], w is f32, and the partial sums of output c, sums[(p * block_rows + r) * 16 + c], go on from what they
  // hold. Every block but the last has a multiple of four columns.
  int few_rows;  // up to so many rows `panel` is the faster
  int block_rows;
  void (*block)(const float* x, int rows, const float* w, int64_t n, float* sums);
  // `n` stored numbers, a multiple of 16, as f32
  void (*widen)(DType dtype, const std::byte* from, int64_t n, float* to);
  // y[i] += a x[i]
  void (*axpy)(float* y, float a, const float* x, int64_t n);
};

// The widest that this machine has.
const Simd& simd();
// All that this machine has, portable first; for tests.
const Simd* const* all_simd(int* count);

}  // namespace irplan::cpu
