// route: which experts serve a token, and with which weights. Oracle: core/src/ops/route.cpp. One warp a
// token.
#pragma once

#include "cuda/kernels/order.cuh"

namespace irplan::IRPLAN_GPU {

__device__ inline Found best_choice(const float* choice, int count, const Found& last) {
  Found own;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += 32) {
    const Found here{key_of(choice[i]), i};
    if ((last.index == INT64_MAX || better(last, here)) && better(here, own)) own = here;
  }
  return warp_best(own);
}

__device__ inline void softmax_of(float* z, int count) {
  const int lane = static_cast<int>(threadIdx.x);
  float most = -INFINITY, total = 0;
  for (int i = lane; i < count; i += 32) most = fmaxf(most, z[i]);
  most = warp_max(most);
  for (int i = lane; i < count; i += 32) total += z[i] = expf(z[i] - most);
  total = warp_sum(total);
  for (int i = lane; i < count; i += 32) z[i] /= total;
  __syncwarp();
}

// Experts of all but the best groups cannot be chosen; a group counts as the sum of its two best choice
// scores.
__device__ inline void mask_groups(const RouteCall& c, float* choice, int experts, float* totals) {
  const int lane = static_cast<int>(threadIdx.x), each = experts / c.groups;
  for (int g = lane; g < c.groups; g += 32) {
    Found first, second;
    for (int i = 0; i < each; ++i) {
      const Found here{key_of(choice[g * each + i]), i};
      if (better(here, first)) {
        second = first;
        first = here;
      } else if (better(here, second)) {
        second = here;
      }
    }
    totals[g] = choice[g * each + first.index] + (each > 1 ? choice[g * each + second.index] : 0.0f);
  }
  __syncwarp();
  Found last;
  for (int kept = 0; kept < c.group_k; ++kept) last = best_choice(totals, c.groups, last);
  for (int i = lane; i < experts; i += 32) {
    const Found group{key_of(totals[i / each]), i / each};
    if (better(last, group)) choice[i] = -INFINITY;
  }
  __syncwarp();
}

// Shared: scores[E], choice[E], chosen weights[k], totals of groups.
__global__ void __launch_bounds__(32) route_rows(const __grid_constant__ RouteCall c) {
  IRPLAN_BLOCK(32);
  IRPLAN_SHARED(float, scores);
  const int axis = c.logits.rank - 1, lane = static_cast<int>(threadIdx.x);
  const int experts = static_cast<int>(c.logits.shape[axis]), k = static_cast<int>(c.weights.shape[axis]);
  float* choice = scores + experts;
  float* chosen = choice + experts;
  float* totals = chosen + k;
  const unsigned row = blockIdx.x;
  const int64_t from = place_of(row, axis, c.logits.shape, c.logits.stride);
  for (int i = lane; i < experts; i += 32) {
    const float z = load_number(c.logits, from + i * c.logits.stride[axis]);
    scores[i] = c.score == 2 ? 1.0f / (1.0f + expf(-z)) : z;
  }
  __syncwarp();
  if (c.score == 0) softmax_of(scores, experts);
  for (int i = lane; i < experts; i += 32)
    choice[i] = scores[i] + (c.bias.data ? load_number(c.bias, i * c.bias.stride[0]) : 0.0f);
  __syncwarp();
  if (c.groups > 0) mask_groups(c, choice, experts, totals);
  const int64_t ids = place_of(row, axis, c.logits.shape, c.experts.stride);
  Found last;
  for (int j = 0; j < k; ++j) {
    last = best_choice(choice, experts, last);
    if (lane != 0) continue;
    chosen[j] = scores[last.index];
    store_integer(c.experts.dtype, c.experts.data, ids + j * c.experts.stride[axis], last.index);
  }
  __syncwarp();
  if (c.score == 1) softmax_of(chosen, k);
  float total = 0;
  for (int j = lane; j < k; j += 32) total += chosen[j];
  const float divisor = c.norm ? warp_sum(total) + 1e-20f : 1.0f;
  const int64_t to = place_of(row, axis, c.logits.shape, c.weights.stride);
  for (int j = lane; j < k; j += 32)
    store_number(c.weights, to + j * c.weights.stride[axis], chosen[j] / divisor * c.scale);
}

}  // namespace irplan::IRPLAN_GPU
