// silu gelu gelu_tanh sigmoid relu tanh exp sqrt neg softcap clamp cast. Oracle: core/src/ops/unary.cpp.
#pragma once

#include "cuda/kernels/functions.cuh"

namespace irplan::IRPLAN_GPU {

__device__ inline float apply(const UnaryCall& c, float x) {
  switch (c.function) {
    case Unary::Silu: return silu_of(x);
    case Unary::Gelu: return gelu_of(x);
    case Unary::GeluTanh: return gelu_tanh_of(x);
    case Unary::Sigmoid: return sigmoid_of(x);
    case Unary::Relu: return x < 0 ? 0.0f : x;
    case Unary::Tanh: return tanhf(x);
    case Unary::Exp: return expf(x);
    case Unary::Sqrt: return sqrtf(x);
    case Unary::Neg: return -x;
    case Unary::Softcap: return c.cap * tanhf(x / c.cap);
    case Unary::Clamp:
      if (c.has_lo && x < c.lo) x = c.lo;
      return c.has_hi && x > c.hi ? c.hi : x;
    case Unary::Cast: return x;
  }
  return x;
}

__device__ inline int64_t apply(const UnaryCall& c, int64_t x) {
  if (c.function == Unary::Neg) return static_cast<int64_t>(0 - static_cast<uint64_t>(x));
  if (c.function != Unary::Clamp) return x;
  if (c.has_lo && x < c.int_lo) x = c.int_lo;
  return c.has_hi && x > c.int_hi ? c.int_hi : x;
}

// Dense, one dtype: 16 bytes at a time.
template <class T>
__global__ void __launch_bounds__(256) unary_dense(const __grid_constant__ UnaryCall c, int64_t count) {
  IRPLAN_BLOCK(256);
  const auto* x = reinterpret_cast<const T*>(c.x.data);
  auto* y = reinterpret_cast<T*>(c.y.data);
  constexpr int64_t kLanes = Pack<T>::kCount;
  const int64_t step = int64_t{gridDim.x} * blockDim.x, packs = count / kLanes;
  const int64_t own = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  for (int64_t i = own; i < packs; i += step) {
    const Pack<T> pack = load_pack(x + i * kLanes);
    float results[kLanes];
    for (int k = 0; k < kLanes; ++k) results[k] = apply(c, as_float(pack.at[k]));
    store_pack(y + i * kLanes, rounded_pack<T>(results));
  }
  for (int64_t i = packs * kLanes + own; i < count; i += step) assign(y[i], apply(c, as_float(x[i])));
}

__global__ void __launch_bounds__(256) unary_strided(const __grid_constant__ UnaryCall c, int64_t count) {
  IRPLAN_BLOCK(256);
  const bool from_floats = holds_floats(c.x.dtype), to_floats = holds_floats(c.y.dtype);
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t from = place_of(i, c.x), to = place_of(i, c.y);
    if (from_floats) {
      const float z = apply(c, load_number(c.x, from));
      if (to_floats) {
        store_number(c.y, to, z);
      } else {
        store_integer(c.y.dtype, c.y.data, to, c.y.dtype == DType::Bool ? z != 0 : to_integer(z));
      }
    } else {
      const int64_t z = apply(c, load_integer(c.x.dtype, c.x.data, from));
      if (to_floats) {
        store_number(c.y, to, static_cast<float>(z));
      } else {
        store_integer(c.y.dtype, c.y.data, to, z);
      }
    }
  }
}

}  // namespace irplan::IRPLAN_GPU
