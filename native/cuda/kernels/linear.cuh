// linear and matmul. Oracle: core/src/ops/linear.cpp, core/src/ops/scales.cpp.
//
// Both are y[row, n] = sum over k of x[row, k] w[z][n, k]; `z` is the group of a grouped weight, or the batch
// of a matmul:
//
//     linear, w [G,N,K]    row = m * G + z           matmul    row = z * M + m, and w's last axes swapped
#pragma once

#include "cuda/kernels/scales.cuh"

namespace irplan::IRPLAN_GPU {

struct ProductCall {
  Tensor x, y, bias;
  ScaledWeight weight;
  int64_t rows = 0, n = 0, k = 0;    // of each z
  int64_t count = 1;                 // of z
  int64_t row_step = 1, z_step = 0;  // row = m * row_step + z * z_step
};

__device__ __forceinline__ int64_t product_row(const ProductCall& c, int64_t m, int64_t z) {
  return m * c.row_step + z * c.z_step;
}

__device__ __forceinline__ float bias_of(const ProductCall& c, int64_t n) {
  return c.bias.data ? load_number(c.bias, n * c.bias.stride[0]) : 0.0f;
}

// ---- tiles of 64 rows by 64 outputs, 16 deep; 256 threads with 4 by 4 results each

constexpr int kTile = 64, kDepth = 16, kTileStride = kTile + 4;
constexpr size_t kTileBytes = 2 * kDepth * kTileStride * sizeof(float);

__device__ __forceinline__ void product_tile(const ProductCall& c, float* shared, unsigned z, int64_t row0,
                                             int64_t n0) {
  float* xs = shared;                         // [depth][row]
  float* ws = shared + kDepth * kTileStride;  // [depth][output]
  const int thread = static_cast<int>(threadIdx.x), depth = thread % kDepth, lane = thread / kDepth;
  const Tensor& w = c.weight.w;
  const int64_t x_step = c.x.stride[c.x.rank - 1], w_row = w.stride[w.rank - 2],
                w_step = w.stride[w.rank - 1];
  const int64_t w_base = place_of(z, w.rank - 2, w.shape, w.stride);
  const int64_t scale_base =
      c.weight.scale.data ? place_of(z, c.weight.scale.rank - 2, c.weight.scale.shape, c.weight.scale.stride)
                          : 0;
  int64_t x_at[4];
  IRPLAN_UNROLL
  for (int i = 0; i < 4; ++i) {
    const int64_t m = row0 + lane + 16 * i;
    x_at[i] = m < c.rows ? row_of(product_row(c, m, z), c.x, 1) : -1;
  }
  float sums[4][4] = {};
  const int tx = thread % 16, ty = thread / 16;
  for (int64_t k0 = 0; k0 < c.k; k0 += kDepth) {
    const int64_t k = k0 + depth;
    IRPLAN_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int at = lane + 16 * i;
      xs[depth * kTileStride + at] = x_at[i] >= 0 && k < c.k ? load_number(c.x, x_at[i] + k * x_step) : 0.0f;
      const int64_t n = n0 + at;
      float value = 0;
      if (n < c.n && k < c.k) {
        value = load_number(w, w_base + n * w_row + k * w_step);
        if (c.weight.scale.data) value *= scale_at(c.weight, scale_base, n, k);
      }
      ws[depth * kTileStride + at] = value;
    }
    __syncthreads();
    for (int d = 0; d < kDepth; ++d) {
      const float4 a = *reinterpret_cast<const float4*>(xs + d * kTileStride + ty * 4);
      const float4 b = *reinterpret_cast<const float4*>(ws + d * kTileStride + tx * 4);
      const float left[4] = {a.x, a.y, a.z, a.w}, right[4] = {b.x, b.y, b.z, b.w};
      for (int i = 0; i < 4; ++i) {
        for (int j = 0; j < 4; ++j) sums[i][j] += left[i] * right[j];
      }
    }
    __syncthreads();
  }
  IRPLAN_UNROLL
  for (int i = 0; i < 4; ++i) {
    const int64_t m = row0 + ty * 4 + i;
    if (m >= c.rows) continue;
    const int64_t to = row_of(product_row(c, m, z), c.y, 1);
    IRPLAN_UNROLL
    for (int j = 0; j < 4; ++j) {
      const int64_t n = n0 + tx * 4 + j;
      if (n < c.n) store_number(c.y, to + n * c.y.stride[c.y.rank - 1], sums[i][j] + bias_of(c, n));
    }
  }
}

// Blocks: rows in x, which has room for all; outputs in y and z in z take turns beyond what a grid has.
inline __global__ void __launch_bounds__(256, 3) product_tiles(const __grid_constant__ ProductCall c) {
  IRPLAN_BLOCK(256);
  IRPLAN_SHARED(float, shared);
  for (unsigned z = blockIdx.z; z < c.count; z += gridDim.z) {
    for (int64_t n0 = int64_t{blockIdx.y} * kTile; n0 < c.n; n0 += int64_t{gridDim.y} * kTile)
      product_tile(c, shared, z, int64_t{blockIdx.x} * kTile, n0);
  }
}

// ---- few rows: a warp an output, the weight is read once for kRows rows

constexpr int kWarps = 8, kMostFewRows = 8;
constexpr int unroll_of(int rows) { return rows > 4 ? 2 : 4; }

template <int kRows>
__device__ __forceinline__ void store_few(const ProductCall& c, int64_t m0, int64_t n, int64_t z,
                                          const float* sums) {
  IRPLAN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const float total = warp_sum(sums[r]);
    if (m0 + r >= c.rows || (threadIdx.x & 31) != 0) continue;
    const int64_t to = row_of(product_row(c, m0 + r, z), c.y, 1);
    store_number(c.y, to + n * c.y.stride[c.y.rank - 1], total + bias_of(c, n));
  }
}

constexpr int few_blocks(int rows, int outputs) {
  return (rows < 4 ? blocks_at_once(32, rows == 1 ? 24 : 16) : 16) / outputs;
}

// Weight and activations of one dtype, their rows dense and aligned: 16 bytes a load. A row's sum does not
// depend on how many there are. A block has a warp for each of kOutputs outputs.
template <class T, int kRows, int kUnroll = unroll_of(kRows), int kOutputs = kWarps>
__global__ void __launch_bounds__(32 * kOutputs, few_blocks(kRows, kOutputs))
    product_few_dense(const __grid_constant__ ProductCall c) {
  IRPLAN_BLOCK(32 * kOutputs);
  constexpr int kLanes = Pack<T>::kCount;
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int64_t n = int64_t{blockIdx.x} * kOutputs + threadIdx.x / 32, m0 = int64_t{blockIdx.y} * kRows;
  if (n >= c.n) return;  // a whole warp, and no barrier follows
  const Tensor& w = c.weight.w;
  for (unsigned z = blockIdx.z; z < c.count; z += gridDim.z) {
    const T* weight = reinterpret_cast<const T*>(w.data) + place_of(z, w.rank - 2, w.shape, w.stride) +
                      n * w.stride[w.rank - 2];
    const T* x[kRows];
    IRPLAN_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const int64_t m = m0 + r < c.rows ? m0 + r : m0;  // beyond the rows: computed and not stored
      x[r] = reinterpret_cast<const T*>(c.x.data) + row_of(product_row(c, m, z), c.x, 1);
    }
    float sums[kRows] = {};
    IRPLAN_UNROLL_BY(kUnroll)
    for (int64_t k = int64_t{lane} * kLanes; k < c.k; k += 32 * kLanes) {
      const Pack<T> a = load_pack(weight + k);
      IRPLAN_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const Pack<T> b = load_pack(x[r] + k);
        for (int i = 0; i < kLanes; ++i) sums[r] += as_float(a.at[i]) * as_float(b.at[i]);
      }
    }
    store_few<kRows>(c, m0, n, z, sums);
  }
}

// Any strides and dtypes, scales of blocks too.
template <int kRows>
__global__ void __launch_bounds__(256, kRows < 4 ? 4 : 2) product_few(const __grid_constant__ ProductCall c) {
  IRPLAN_BLOCK(256);
  const int lane = static_cast<int>(threadIdx.x) & 31;
  const int64_t n = int64_t{blockIdx.x} * kWarps + threadIdx.x / 32, m0 = int64_t{blockIdx.y} * kRows;
  if (n >= c.n) return;
  const Tensor& w = c.weight.w;
  const int64_t w_step = w.stride[w.rank - 1], x_step = c.x.stride[c.x.rank - 1];
  for (unsigned z = blockIdx.z; z < c.count; z += gridDim.z) {
    const int64_t w_at = place_of(z, w.rank - 2, w.shape, w.stride) + n * w.stride[w.rank - 2];
    const Tensor& scale = c.weight.scale;
    const int64_t scale_base = scale.data ? place_of(z, scale.rank - 2, scale.shape, scale.stride) : 0;
    int64_t x_at[kRows];
    IRPLAN_UNROLL
    for (int r = 0; r < kRows; ++r)
      x_at[r] = row_of(product_row(c, m0 + r < c.rows ? m0 + r : m0, z), c.x, 1);
    float sums[kRows] = {};
    for (int64_t k = lane; k < c.k; k += 32) {
      float value = load_number(w, w_at + k * w_step);
      if (scale.data) value *= scale_at(c.weight, scale_base, n, k);
      IRPLAN_UNROLL
      for (int r = 0; r < kRows; ++r) sums[r] += value * load_number(c.x, x_at[r] + k * x_step);
    }
    store_few<kRows>(c, m0, n, z, sums);
  }
}

}  // namespace irplan::IRPLAN_GPU
