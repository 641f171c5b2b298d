// softmax along one axis, which the host has made the last. Oracle: core/src/ops/reduce.cpp. One block a
// line.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

__global__ void __launch_bounds__(256)
    softmax_lines(const __grid_constant__ Tensor x, const __grid_constant__ Tensor y) {
  IRPLAN_BLOCK(256);
  IRPLAN_SHARED(float, scratch);
  const int axis = x.rank - 1;
  const int64_t width = x.shape[axis];
  const unsigned line = blockIdx.x;
  const int64_t from = place_of(line, axis, x.shape, x.stride), to = place_of(line, axis, x.shape, y.stride);
  float most = -INFINITY;
  for (int64_t i = threadIdx.x; i < width; i += blockDim.x)
    most = fmaxf(most, load_number(x, from + i * x.stride[axis]));
  most = block_max(most, scratch);
  float total = 0;
  for (int64_t i = threadIdx.x; i < width; i += blockDim.x)
    total += expf(load_number(x, from + i * x.stride[axis]) - most);
  total = block_sum(total, scratch);
  for (int64_t i = threadIdx.x; i < width; i += blockDim.x) {
    store_number(y, to + i * y.stride[axis], expf(load_number(x, from + i * x.stride[axis]) - most) / total);
  }
}

}  // namespace irplan::IRPLAN_GPU
