// dequant: the numbers that a quantised weight stands for. Oracle: core/src/ops/linear.cpp (dequant).
#pragma once

#include "cuda/kernels/scales.cuh"

namespace irplan::IRPLAN_GPU {

__global__ void __launch_bounds__(256)
    dequant_strided(const __grid_constant__ ScaledWeight w, const __grid_constant__ Tensor y, int64_t count) {
  IRPLAN_BLOCK(256);
  const int rank = w.w.rank;
  const int64_t columns = w.w.shape[rank - 1], rows = rank > 1 ? w.w.shape[rank - 2] : 1;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    float x = load_number(w.w, place_of(i, w.w));
    if (w.scale.data) {
      const int64_t row = i / columns % rows, matrix = i / columns / rows;
      x *= scale_at(w, place_of(matrix, w.scale.rank - 2, w.scale.shape, w.scale.stride), row, i % columns);
    }
    store_number(y, place_of(i, y), x);
  }
}

}  // namespace irplan::IRPLAN_GPU
