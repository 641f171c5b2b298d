// Numbers made into blocks of q8_0, q4_0, i4g128 and mxfp4, as a state in a block dtype holds them.
// Oracle: core/src/reference/blocks.cpp.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

// Nearest integer, ties to even.
__device__ __forceinline__ int quotient(float x, float d, int lo, int hi) {
  if (d == 0 || x != x) return 0;
  return static_cast<int>(rintf(fminf(static_cast<float>(hi), fmaxf(static_cast<float>(lo), x / d))));
}

__device__ inline int nearest_e2m1(float x) {
  const float magnitude = fabsf(x);
  int best = 0;
  float best_value = 0, value = 0;
  for (int i = 1; i < 8; ++i) {
    value = i < 4 ? 0.5f * static_cast<float>(i) : i == 4 ? 2.0f : i == 5 ? 3.0f : i == 6 ? 4.0f : 6.0f;
    const float here = fabsf(value - magnitude), there = fabsf(best_value - magnitude);
    if (here < there || (here == there && i % 2 == 0)) best = i, best_value = value;
  }
  return best | (x < 0 && best ? 8 : 0);
}

// Makes the block of `n` numbers that lie `step` elements apart from element `from` of x.
__device__ inline void quantise_block(const Tensor& x, int64_t from, int64_t step, DType dtype,
                                      uint8_t* block) {
  const int n = block_elements(dtype);
  float most = 0;
  for (int i = 0; i < n; ++i) {
    const float v = load_number(x, from + i * step);
    if (fabsf(v) > fabsf(most)) most = v;
  }
  float d = 0;
  int header = 2;
  if (dtype == DType::MXFP4) {
    header = 1;
    int exponent = -127;
    if (fabsf(most) > 0) {
      int found = 0;
      frexpf(most, &found);
      exponent = fabsf(most) > 3.4e38f ? 125
                 : found - 3 > -127    ? found - 3
                                       : -127;  // 2 is the exponent of e2m1's largest
    }
    block[0] = static_cast<uint8_t>(exponent + 127);
    d = power_of_two(exponent);
  } else {
    F16 stored;
    const float exact = dtype == DType::Q8_0 ? fabsf(most) / 127.0f : most / -8.0f;
    assign(stored, fminf(65504.0f, fmaxf(-65504.0f, exact)));
    block[0] = static_cast<uint8_t>(stored.bits & 255);
    block[1] = static_cast<uint8_t>(stored.bits >> 8);
    d = as_float(stored);
  }
  if (dtype == DType::Q8_0) {
    for (int i = 0; i < n; ++i)
      block[2 + i] = static_cast<uint8_t>(quotient(load_number(x, from + i * step), d, -127, 127));
    return;
  }
  const auto code = [&](int i) {
    const float v = load_number(x, from + i * step);
    return dtype == DType::MXFP4 ? nearest_e2m1(v / d) : quotient(v, d, -8, 7) + 8;
  };
  for (int j = 0; j < n / 2; ++j) {
    const int low = dtype == DType::Q4_0 ? j : 2 * j, high = dtype == DType::Q4_0 ? j + 16 : 2 * j + 1;
    block[header + j] = static_cast<uint8_t>(code(low) | code(high) << 4);
  }
}

__global__ void __launch_bounds__(128, 8)
    quantise_strided(const __grid_constant__ Tensor x, const __grid_constant__ Tensor y, int64_t blocks) {
  IRPLAN_BLOCK(128);
  const int n = block_elements(y.dtype), size = block_bytes(y.dtype);
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < blocks; i += step) {
    const int64_t to = place_of(i * n, y) / n * size;
    quantise_block(x, place_of(i * n, x), x.rank ? x.stride[x.rank - 1] : 1, y.dtype,
                   reinterpret_cast<uint8_t*>(y.data) + to);
  }
}

}  // namespace irplan::IRPLAN_GPU
