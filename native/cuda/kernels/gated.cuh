// swiglu and geglu: act(g) * u, each rounded where it is. Oracle: core/src/ops/fused.cpp.
#pragma once

#include "cuda/kernels/functions.cuh"

namespace irplan::IRPLAN_GPU {

__device__ __forceinline__ float gate(bool gelu, float g) { return gelu ? gelu_tanh_of(g) : silu_of(g); }

template <class T>
__device__ __forceinline__ float rounded(float x) {
  T stored;
  assign(stored, x);
  return as_float(stored);
}
__device__ __forceinline__ float stored_as(DType dtype, float x) {
  if (dtype == DType::F16) return rounded<F16>(x);
  if (dtype == DType::BF16) return rounded<BF16>(x);
  return dtype == DType::F32 ? x : from_f8(dtype, to_f8(dtype, x));
}

// One dtype, each tensor rows of `width` elements at its own row stride: the halves of a packed [gate, up]
// qualify.
template <class T>
__global__ void __launch_bounds__(256)
    gated_rows(const __grid_constant__ GatedCall c, int64_t packs, int64_t packs_a_row) {
  IRPLAN_BLOCK(256);
  constexpr int64_t kLanes = Pack<T>::kCount;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const int axis = c.y.rank - 1;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < packs; i += step) {
    const int64_t row = i / packs_a_row, column = (i - row * packs_a_row) * kLanes;
    const auto* g =
        reinterpret_cast<const T*>(c.g.data) + place_of(row, axis, c.g.shape, c.g.stride) + column;
    const auto* u =
        reinterpret_cast<const T*>(c.u.data) + place_of(row, axis, c.u.shape, c.u.stride) + column;
    auto* y = reinterpret_cast<T*>(c.y.data) + place_of(row, axis, c.y.shape, c.y.stride) + column;
    const Pack<T> pack = load_pack(g), up = load_pack(u);
    float results[kLanes];
    for (int k = 0; k < kLanes; ++k)
      results[k] = rounded<T>(gate(c.gelu, as_float(pack.at[k]))) * as_float(up.at[k]);
    store_pack(y, rounded_pack<T>(results));
  }
}

__global__ void __launch_bounds__(256) gated_strided(const __grid_constant__ GatedCall c, int64_t count) {
  IRPLAN_BLOCK(256);
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const float g = load_number(c.g, place_of(i, c.g)), u = load_number(c.u, place_of(i, c.u));
    store_number(c.y, place_of(i, c.y), stored_as(c.y.dtype, gate(c.gelu, g)) * u);
  }
}

}  // namespace irplan::IRPLAN_GPU
