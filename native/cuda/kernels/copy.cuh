// copy, and what windows and concat need of it: elements laid out anew. Oracle: core/src/ops/window.cpp.
#pragma once

#include "cuda/kernels/functions.cuh"

namespace irplan::IRPLAN_GPU {

// Both dense and of one dtype: bytes. `packs` of 16 bytes, then the rest.
__global__ void __launch_bounds__(256) copy_bytes(const uint8_t* x, uint8_t* y, int64_t bytes, bool wide) {
  IRPLAN_BLOCK(256);
  const int64_t step = int64_t{gridDim.x} * blockDim.x, own = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int64_t packs = wide ? bytes / 16 : 0;
  for (int64_t i = own; i < packs; i += step)
    reinterpret_cast<uint4*>(y)[i] = reinterpret_cast<const uint4*>(x)[i];
  for (int64_t i = packs * 16 + own; i < bytes; i += step) y[i] = x[i];
}

__global__ void __launch_bounds__(256)
    copy_strided(const __grid_constant__ Tensor x, const __grid_constant__ Tensor y, int64_t count) {
  IRPLAN_BLOCK(256);
  const bool from_floats = holds_floats(x.dtype), to_floats = holds_floats(y.dtype);
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t from = place_of(i, x), to = place_of(i, y);
    if (from_floats && to_floats) {
      store_number(y, to, load_number(x, from));
    } else if (from_floats) {
      store_integer(y.dtype, y.data, to, to_integer(load_number(x, from)));
    } else if (to_floats) {
      store_number(y, to, static_cast<float>(load_integer(x.dtype, x.data, from)));
    } else {
      store_integer(y.dtype, y.data, to, load_integer(x.dtype, x.data, from));
    }
  }
}

}  // namespace irplan::IRPLAN_GPU
