// The few loops that the processor's vector units speed up; chosen once for the machine that runs them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "irplan/dtype.h"

namespace irplan::cpu {

constexpr int kPanelTile = 4;  // rows of x that `panel` multiplies at once
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
  // y[i] += a x[i]
  void (*axpy)(float* y, float a, const float* x, int64_t n);
};

// The widest that this machine has.
const Simd& simd();
// All that this machine has, portable first; for tests.
const Simd* const* all_simd(int* count);

}  // namespace irplan::cpu
