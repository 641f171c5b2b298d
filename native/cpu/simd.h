// The few loops that the processor's vector units speed up; chosen once for the machine that runs them.
#pragma once

#include <cstdint>

namespace irplan::cpu {

constexpr int kTile = 4;  // rows of each operand that `tile` multiplies at once

struct Simd {
  const char* name;
  // Σ a[i] b[i]
  float (*dot)(const float* a, const float* b, int64_t n);
  // out[r * kTile + c] = Σ x[r][i] w[c][i]
  void (*tile)(const float* const* x, const float* const* w, int64_t n, float* out);
  // y[i] += a x[i]
  void (*axpy)(float* y, float a, const float* x, int64_t n);
};

// The widest that this machine has.
const Simd& simd();
// All that this machine has, portable first; for tests.
const Simd* const* all_simd(int* count);

}  // namespace irplan::cpu
