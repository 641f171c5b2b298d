// add sub mul div, of tensors that broadcast or a tensor and a number. Oracle: core/src/ops/elementwise.cpp.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

__device__ inline float apply(Binary f, float a, float b) {
  switch (f) {
    case Binary::Add: return a + b;
    case Binary::Sub: return a - b;
    case Binary::Mul: return a * b;
    case Binary::Div: return a / b;
  }
  return 0;
}

// Integers wrap; a quotient is cut towards zero, and that by zero is zero.
__device__ inline int64_t apply(Binary f, int64_t a, int64_t b) {
  const auto x = static_cast<uint64_t>(a), z = static_cast<uint64_t>(b);
  switch (f) {
    case Binary::Add: return static_cast<int64_t>(x + z);
    case Binary::Sub: return static_cast<int64_t>(x - z);
    case Binary::Mul: return static_cast<int64_t>(x * z);
    case Binary::Div: return b == 0 ? 0 : b == -1 ? static_cast<int64_t>(0 - x) : a / b;
  }
  return 0;
}

// All dense and of one dtype; b is a tensor or a number.
template <class T>
__global__ void __launch_bounds__(256) binary_dense(const __grid_constant__ BinaryCall c, int64_t count) {
  IRPLAN_BLOCK(256);
  const auto* a = reinterpret_cast<const T*>(c.a.data);
  const auto* b = reinterpret_cast<const T*>(c.b.data);
  auto* y = reinterpret_cast<T*>(c.y.data);
  constexpr int64_t kLanes = Pack<T>::kCount;
  const int64_t step = int64_t{gridDim.x} * blockDim.x, packs = count / kLanes;
  const int64_t own = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const auto combine = [&](T x, T z) {
    const float left = as_float(x), right = b ? as_float(z) : c.number;
    return c.number_first ? apply(c.function, right, left) : apply(c.function, left, right);
  };
  for (int64_t i = own; i < packs; i += step) {
    const Pack<T> pack = load_pack(a + i * kLanes), other = b ? load_pack(b + i * kLanes) : pack;
    float results[kLanes];
    for (int k = 0; k < kLanes; ++k) results[k] = combine(pack.at[k], other.at[k]);
    store_pack(y + i * kLanes, rounded_pack<T>(results));
  }
  for (int64_t i = packs * kLanes + own; i < count; i += step) assign(y[i], combine(a[i], b ? b[i] : a[i]));
}

__global__ void __launch_bounds__(256) binary_strided(const __grid_constant__ BinaryCall c, int64_t count) {
  IRPLAN_BLOCK(256);
  const bool floats = holds_floats(c.a.dtype);
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t left = place_of(i, c.a), to = place_of(i, c.y), right = c.b.data ? place_of(i, c.b) : 0;
    if (floats) {
      const float a = load_number(c.a, left), b = c.b.data ? load_number(c.b, right) : c.number;
      store_number(c.y, to, c.number_first ? apply(c.function, b, a) : apply(c.function, a, b));
    } else {
      const int64_t a = load_integer(c.a.dtype, c.a.data, left);
      const int64_t b = c.b.data ? load_integer(c.b.dtype, c.b.data, right) : c.int_number;
      store_integer(c.y.dtype, c.y.data, to,
                    c.number_first ? apply(c.function, b, a) : apply(c.function, a, b));
    }
  }
}

}  // namespace irplan::IRPLAN_GPU
