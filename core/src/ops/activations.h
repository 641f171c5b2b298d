// Functions of one number that operators and their fusions share.
#pragma once

#include <cmath>

namespace irplan {

inline float sigmoid_of(float x) { return 1.0f / (1.0f + std::exp(-x)); }
inline float silu_of(float x) { return x / (1.0f + std::exp(-x)); }
inline float gelu_of(float x) {
  constexpr double kHalfRoot = 0.70710678118654752440;  // 1 / sqrt(2)
  return static_cast<float>(0.5 * x * (1.0 + std::erf(x * kHalfRoot)));
}
inline float gelu_tanh_of(float x) {
  constexpr double kRoot = 0.79788456080286535588;  // sqrt(2 / pi)
  const double z = x;
  return static_cast<float>(0.5 * z * (1.0 + std::tanh(kRoot * (z + 0.044715 * z * z * z))));
}

}  // namespace irplan
