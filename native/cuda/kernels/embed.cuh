// embed and positions. Oracle: core/src/ops/embed.cpp. An id that no row has is noted and reads nothing.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

// One block an id.
__global__ void __launch_bounds__(256) embed_rows(const __grid_constant__ EmbedCall c, int64_t count) {
  IRPLAN_BLOCK(256);
  const int64_t width = c.w.shape[1];
  for (int64_t n = blockIdx.x; n < count; n += gridDim.x) {
    const int64_t id = load_integer(c.ids.dtype, c.ids.data, place_of(n, c.ids));
    if (id < 0 || id >= c.w.shape[0]) {
      if (threadIdx.x == 0) note_fault(c.fault, c.op, 0, n, id, c.w.shape[0]);
      continue;
    }
    const int64_t to = row_of(n, c.y, 1), step = c.y.stride[c.y.rank - 1];
    for (int64_t i = threadIdx.x; i < width; i += blockDim.x) {
      store_number(c.y, to + i * step, load_number(c.w, id * c.w.stride[0] + i * c.w.stride[1]));
    }
  }
}

__global__ void __launch_bounds__(256)
    positions_kernel(const __grid_constant__ Tensor y, const int32_t* at, int64_t count) {
  IRPLAN_BLOCK(256);
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t b = i / y.shape[1];
    store_integer(y.dtype, y.data, place_of(i, y), at[b] + (i - b * y.shape[1]));
  }
}

}  // namespace irplan::IRPLAN_GPU
