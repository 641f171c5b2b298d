// Scales of blocks of a weight. Oracle: core/src/ops/scales.cpp.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

// What element (row, column) of matrix `matrix` is multiplied by.
__device__ inline float scale_at(const ScaledWeight& w, int64_t matrix_place, int64_t row, int64_t column) {
  const int axis = w.scale.rank;
  return load_number(
      w.scale,
      matrix_place +
          static_cast<unsigned>(row) / static_cast<unsigned>(w.block_rows) * w.scale.stride[axis - 2] +
          static_cast<unsigned>(column) / static_cast<unsigned>(w.block_columns) * w.scale.stride[axis - 1]);
}

}  // namespace irplan::IRPLAN_GPU
