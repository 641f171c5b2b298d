// rope: pairs of elements turned by an angle that grows with the position. Oracle: core/src/ops/rope.cpp.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

// One block a token [b, s]: a thread finds the angle of its pairs once for all heads. The angle is rounded to
// f32 before cos and sin, as the models do; these are the exact functions, since positions reach far beyond
// one turn.
__global__ void __launch_bounds__(256)
    rope_rows(const __grid_constant__ RopeCall c, int64_t tokens, int64_t heads) {
  IRPLAN_BLOCK(256);
  const int last = c.x.rank - 1;
  const int64_t width = c.x.shape[last], from_step = c.x.stride[last], to_step = c.y.stride[last];
  const int64_t tail = width - 2 * c.half;
  const auto* frequencies = reinterpret_cast<const float*>(c.g.data);
  for (int64_t token = blockIdx.x; token < tokens; token += gridDim.x) {
    const int64_t b = token / c.x.shape[1], s = token - b * c.x.shape[1];
    const int64_t from = b * c.x.stride[0] + s * c.x.stride[1], to = b * c.y.stride[0] + s * c.y.stride[1];
    const float position = static_cast<float>(c.at.data[b] + s);
    for (int64_t at = threadIdx.x; at < c.half * heads; at += blockDim.x) {
      const int64_t head = at / c.half, i = at - head * c.half;
      const int64_t row = from + place_of(head, last - 2, c.x.shape + 2, c.x.stride + 2);
      const int64_t out = to + place_of(head, last - 2, c.x.shape + 2, c.y.stride + 2);
      const int64_t first = c.interleave ? 2 * i : i, second = c.interleave ? 2 * i + 1 : i + c.half;
      const float angle = position * frequencies[i];
      const float cosine = c.m * cosf(angle), sine = c.m * sinf(angle);
      const float u = load_number(c.x, row + first * from_step),
                  v = load_number(c.x, row + second * from_step);
      store_number(c.y, out + first * to_step, u * cosine - v * sine);
      store_number(c.y, out + second * to_step, v * cosine + u * sine);
    }
    for (int64_t at = threadIdx.x; at < tail * heads; at += blockDim.x) {
      const int64_t head = at / tail, i = 2 * c.half + at - head * tail;
      const int64_t row = from + place_of(head, last - 2, c.x.shape + 2, c.x.stride + 2);
      const int64_t out = to + place_of(head, last - 2, c.x.shape + 2, c.y.stride + 2);
      store_number(c.y, out + i * to_step, load_number(c.x, row + i * from_step));
    }
  }
}

}  // namespace irplan::IRPLAN_GPU
