// expert: a linear whose weight each token chooses. Oracle: core/src/ops/expert.cpp. A choice that no expert
// has is noted and reads nothing.
#pragma once

#include "cuda/kernels/scales.cuh"

namespace irplan::IRPLAN_GPU {

// One block a choice and 8 outputs at a time, one warp an output.
__global__ void __launch_bounds__(256, 4) expert_rows(const __grid_constant__ ExpertCall c) {
  IRPLAN_BLOCK(256);
  const int lane = static_cast<int>(threadIdx.x) & 31, choices_axis = c.e.rank - 1;
  const unsigned at = blockIdx.x;
  const int64_t chosen = load_integer(c.e.dtype, c.e.data, row_of(at, c.e, 0));
  const Tensor& w = c.weight.w;
  if (chosen < 0 || chosen >= w.shape[0]) {
    if (threadIdx.x == 0 && blockIdx.y == 0) note_fault(c.fault, c.op, 2, at, chosen, w.shape[0]);
    return;
  }
  const int64_t x_row =
                    row_of(c.shared_rows ? at / static_cast<unsigned>(c.e.shape[choices_axis]) : at, c.x, 1),
                y_row = row_of(at, c.y, 1);
  const int64_t x_step = c.x.stride[c.x.rank - 1], outputs = w.shape[1], depth = w.shape[2];
  const int64_t scale_base = c.weight.scale.data ? chosen * c.weight.scale.stride[0] : 0;
  for (int64_t n = int64_t{blockIdx.y} * 8 + threadIdx.x / 32; n < outputs; n += int64_t{gridDim.y} * 8) {
    const int64_t w_at = chosen * w.stride[0] + n * w.stride[1];
    float sum = 0;
    for (int64_t k = lane; k < depth; k += 32) {
      float value = load_number(w, w_at + k * w.stride[2]);
      if (c.weight.scale.data) value *= scale_at(c.weight, scale_base, n, k);
      sum += value * load_number(c.x, x_row + k * x_step);
    }
    sum = warp_sum(sum);
    if (lane != 0) continue;
    if (c.bias.data) sum += load_number(c.bias, chosen * c.bias.stride[0] + n * c.bias.stride[1]);
    store_number(c.y, y_row + n * c.y.stride[c.y.rank - 1], sum);
  }
}

}  // namespace irplan::IRPLAN_GPU
