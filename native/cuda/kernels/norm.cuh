// rmsnorm, layernorm, and both of a sum that is stored as well (add_rmsnorm, add_layernorm).
// Oracle: core/src/ops/norm.cpp, core/src/ops/fused.cpp. One block a row.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

constexpr int kNormPacks = 2;  // that a thread of norm_dense keeps in registers

// What the row's statistics make of one element.
__device__ __forceinline__ float normalised(const NormCall& c, float x, float mean, float scale, float w,
                                            float b) {
  const float weight = c.w.data ? (c.centred ? w : c.offset + w) : 1.0f;
  return (x - mean) * scale * weight + b;
}

// Rows of one dtype, aligned, at most kNormPacks packs a thread: memory is read once and written once.
template <class T>
__global__ void __launch_bounds__(1024) norm_dense(const __grid_constant__ NormCall c, int64_t width) {
  IRPLAN_BLOCK(1024);
  IRPLAN_SHARED(float, scratch);
  constexpr int kLanes = Pack<T>::kCount;
  const int axis = c.x.rank - 1;
  const unsigned row = blockIdx.x;
  const auto* x = reinterpret_cast<const T*>(c.x.data) + place_of(row, axis, c.x.shape, c.x.stride);
  Pack<T> held[kNormPacks];
  float total = 0;
  IRPLAN_UNROLL
  for (int p = 0; p < kNormPacks; ++p) {
    const int64_t at = (int64_t{p} * blockDim.x + threadIdx.x) * kLanes;
    if (at >= width) break;
    held[p] = load_pack(x + at);
    if (c.addend.data) {
      const auto* addend =
          reinterpret_cast<const T*>(c.addend.data) + place_of(row, axis, c.x.shape, c.addend.stride);
      const Pack<T> more = load_pack(addend + at);
      float sums[kLanes];
      IRPLAN_UNROLL
      for (int k = 0; k < kLanes; ++k) sums[k] = as_float(held[p].at[k]) + as_float(more.at[k]);
      held[p] = rounded_pack<T>(sums);
    }
    for (int k = 0; k < kLanes; ++k) {
      const float v = as_float(held[p].at[k]);
      total += c.centred ? v : v * v;
    }
  }
  total = block_sum(total, scratch);
  float mean = 0, squares = total;
  if (c.centred) {
    mean = total / static_cast<float>(width);
    float own = 0;
    IRPLAN_UNROLL
    for (int p = 0; p < kNormPacks; ++p) {
      if ((int64_t{p} * blockDim.x + threadIdx.x) * kLanes >= width) break;
      for (int k = 0; k < kLanes; ++k) {
        const float v = as_float(held[p].at[k]) - mean;
        own += v * v;
      }
    }
    squares = block_sum(own, scratch);
  }
  const float scale = rsqrtf(squares / static_cast<float>(width) + c.eps);
  auto* y = reinterpret_cast<T*>(c.y.data) + place_of(row, axis, c.x.shape, c.y.stride);
  IRPLAN_UNROLL
  for (int p = 0; p < kNormPacks; ++p) {
    const int64_t at = (int64_t{p} * blockDim.x + threadIdx.x) * kLanes;
    if (at >= width) break;
    if (c.sum.data)
      store_pack(reinterpret_cast<T*>(c.sum.data) + place_of(row, axis, c.x.shape, c.sum.stride) + at,
                 held[p]);
    // Weight, then bias: one of them at a time in registers.
    Pack<T> w = held[p];
    if (c.w.data) w = load_pack(reinterpret_cast<const T*>(c.w.data) + at);
    float v[kLanes];
    IRPLAN_UNROLL
    for (int k = 0; k < kLanes; ++k)
      v[k] = normalised(c, as_float(held[p].at[k]), mean, scale, as_float(w.at[k]), 0.0f);
    if (c.b.data) {
      const Pack<T> b = load_pack(reinterpret_cast<const T*>(c.b.data) + at);
      IRPLAN_UNROLL
      for (int k = 0; k < kLanes; ++k) v[k] += as_float(b.at[k]);
    }
    store_pack(y + at, rounded_pack<T>(v));
  }
}

// Any strides, dtypes and widths. Where there is a sum, each thread stores its elements first and reads them
// again.
__global__ void __launch_bounds__(256, blocks_at_once(5, 4))
    norm_strided(const __grid_constant__ NormCall c, int64_t width) {
  IRPLAN_BLOCK(256);
  IRPLAN_SHARED(float, scratch);
  const int axis = c.x.rank - 1;
  const unsigned row = blockIdx.x;
  const Tensor& source = c.sum.data ? c.sum : c.x;
  const int64_t x = place_of(row, axis, c.x.shape, c.x.stride);
  const int64_t from = place_of(row, axis, c.x.shape, source.stride), step = source.stride[axis];
  float total = 0;
  for (int64_t i = threadIdx.x; i < width; i += blockDim.x) {
    float v = load_number(c.x, x + i * c.x.stride[axis]);
    if (c.addend.data) {
      const int64_t other = place_of(row, axis, c.x.shape, c.addend.stride) + i * c.addend.stride[axis];
      v = rounded(c.sum.dtype, v + load_number(c.addend, other));
      store_number(c.sum, from + i * step, v);
    }
    total += c.centred ? v : v * v;
  }
  total = block_sum(total, scratch);
  float mean = 0, squares = total;
  if (c.centred) {
    mean = total / static_cast<float>(width);
    float own = 0;
    for (int64_t i = threadIdx.x; i < width; i += blockDim.x) {
      const float v = load_number(source, from + i * step) - mean;
      own += v * v;
    }
    squares = block_sum(own, scratch);
  }
  const float scale = rsqrtf(squares / static_cast<float>(width) + c.eps);
  const int64_t y = place_of(row, axis, c.x.shape, c.y.stride);
  for (int64_t i = threadIdx.x; i < width; i += blockDim.x) {
    const float v = load_number(source, from + i * step);
    const float w = c.w.data ? load_number(c.w, i * c.w.stride[0]) : 0.0f;
    const float b = c.b.data ? load_number(c.b, i * c.b.stride[0]) : 0.0f;
    store_number(c.y, y + i * c.y.stride[axis], normalised(c, v, mean, scale, w, b));
  }
}

}  // namespace irplan::IRPLAN_GPU
