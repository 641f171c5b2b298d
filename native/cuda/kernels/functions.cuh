// Functions of one number, as core/src/ops/activations.h and core/src/ops/unary.cpp define them.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

__device__ __forceinline__ float silu_of(float x) { return x / (1.0f + expf(-x)); }
__device__ __forceinline__ float sigmoid_of(float x) { return 1.0f / (1.0f + expf(-x)); }
__device__ __forceinline__ float gelu_of(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678f)); }
__device__ __forceinline__ float gelu_tanh_of(float x) {
  return 0.5f * x * (1.0f + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
}

// Towards zero; what no 64 bits hold goes to their ends, NaN to zero.
__device__ __forceinline__ int64_t to_integer(float x) {
  if (x != x) return 0;
  if (x >= 9223372036854775808.0f) return INT64_MAX;
  if (x < -9223372036854775808.0f) return INT64_MIN;
  return static_cast<int64_t>(x);
}

}  // namespace irplan::IRPLAN_GPU
