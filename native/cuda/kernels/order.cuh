// The order of core/src/ops/order.h for threads that search together: descending, ties to the lowest index,
// NaN above all.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

using Key = unsigned long long;

// Keys compare as the numbers do. 0 is the key of nothing.
__device__ __forceinline__ Key key_of(float x) {
  if (x != x) return ~Key{0};
  x += 0.0f;  // -0 is 0
#ifdef IRPLAN_SIMT
  const uint32_t bits = bits_of(x);
#else
  const uint32_t bits = __float_as_uint(x);
#endif
  return Key{bits >> 31 ? ~bits : bits | 0x80000000u} + 1;
}
__device__ __forceinline__ Key key_of(int64_t x) { return static_cast<Key>(x) ^ (Key{1} << 63); }

__device__ inline Key key_at(const Tensor& t, int64_t element) {
  return holds_floats(t.dtype) ? key_of(load_number(t, element))
                               : key_of(load_integer(t.dtype, t.data, element));
}

struct Found {
  Key key = 0;
  int64_t index = INT64_MAX;  // of nothing
};
__device__ __forceinline__ bool better(const Found& a, const Found& b) {
  if (a.index == INT64_MAX || b.index == INT64_MAX) return a.index < b.index;
  return a.key != b.key ? a.key > b.key : a.index < b.index;
}

__device__ inline Found warp_best(Found own) {
  for (int m = 16; m > 0; m >>= 1) {
    Found other;
    other.key = __shfl_xor_sync(kAllLanes, own.key, m);
    other.index = static_cast<int64_t>(__shfl_xor_sync(kAllLanes, static_cast<long long>(own.index), m));
    if (better(other, own)) own = other;
  }
  return own;
}

// The best over the block, in every thread; `scratch` has 32 places.
__device__ inline Found block_best(Found own, Found* scratch) {
  const int warp = static_cast<int>(threadIdx.x) >> 5, lane = static_cast<int>(threadIdx.x) & 31;
  const int warps = static_cast<int>(blockDim.x) >> 5;
  own = warp_best(own);
  if (lane == 0) scratch[warp] = own;
  __syncthreads();
  Found best = scratch[0];
  for (int i = 1; i < warps; ++i) {
    if (better(scratch[i], best)) best = scratch[i];
  }
  __syncthreads();
  return best;
}

}  // namespace irplan::IRPLAN_GPU
