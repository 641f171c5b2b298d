// attention: softmax(scale q k^T + mask) v with grouped heads, a window, a softcap and sinks. Oracle:
// core/src/ops/attention.cpp.
//
// A block a query and head. Its warps take keys by turns, four at a time, each with a running maximum and sum
// (one pass over keys and values), and are put together at the end:
//
//     warp 0: keys 0-3, 16-19, …      warp 1: keys 4-7, 20-23, …      y = sum of acc_w e^(m_w - m) / sum of
//     l_w e^(m_w - m)
//
// Version 2, for steps of few queries: the keys of a query in 16 runs of equal length, a block each, which
// stores m, l and acc; a second kernel puts the runs together in the same way.
#pragma once

#include "cuda/kernels/device.cuh"

namespace irplan::IRPLAN_GPU {

constexpr int kAttentionWarps = 4, kKeysAtOnce = 4;

struct AnyType {};  // dtype known at run time only

template <class T>
__device__ __forceinline__ float element_of(const Tensor& t, int64_t at) {
  return as_float(reinterpret_cast<const T*>(t.data)[at]);
}
template <>
__device__ __forceinline__ float element_of<AnyType>(const Tensor& t, int64_t at) {
  return load_number(t, at);
}

// The keys [first, last) that query `i` of sequence `b` sees.
__device__ inline void visible_keys(const AttentionCall& c, int64_t b, int64_t i, int64_t* first,
                                    int64_t* last) {
  const int64_t keys = c.keys.data[b], diagonal = i + keys - c.steps.data[b];
  *last = c.causal && diagonal + 1 < keys ? diagonal + 1 : keys;
  *first = diagonal - c.reach.data[b] + 1;
  if (*first < 0) *first = 0;
}

// Row of a ring that holds its j-th oldest position; j itself where it is no ring.
__device__ __forceinline__ int64_t held_row(int64_t j, const int32_t* first, int64_t rows, int64_t b) {
  if (!first) return j;
  const int64_t row = static_cast<unsigned>(first[b]) % static_cast<unsigned>(rows) + j;
  return row < rows ? row : row - rows;
}

// The row of axis 0 at which keys or values of sequence `b` lie.
__device__ __forceinline__ int64_t slot_of(const Table& slots, int64_t b) {
  return slots.data ? slots.data[b] : b;
}

// The end of one query and head: what its parts found, each a maximum, a sum and weighted values one behind
// the other, put together. A sink joins the denominator alone; a query that sees no key has no value.
__device__ inline void join_parts(const AttentionCall& c, const float* parts, int count, int64_t b, int64_t i,
                                  int64_t h, int value_width, bool nothing) {
  const float sink = c.sinks.data ? load_number(c.sinks, h * c.sinks.stride[0]) : -INFINITY;
  float m = sink;
  for (int p = 0; p < count; ++p) m = fmaxf(m, parts[p * (value_width + 2)]);
  float l = c.sinks.data ? expf(sink - m) : 0.0f;
  for (int p = 0; p < count && !nothing; ++p) {
    const float* from = parts + p * (value_width + 2);
    l += from[1] * expf(from[0] - m);
  }
  const int64_t to = b * c.y.stride[0] + i * c.y.stride[1] + h * c.y.stride[2];
  for (int u = static_cast<int>(threadIdx.x); u < value_width; u += static_cast<int>(blockDim.x)) {
    float sum = 0;
    for (int p = 0; p < count && !nothing; ++p) {
      const float* from = parts + p * (value_width + 2);
      sum += from[2 + u] * expf(from[0] - m);
    }
    store_number(c.y, to + u * c.y.stride[3], nothing ? 0.0f : sum / l);
  }
}

// The keys that query i of row b sees; where a query's keys are split into runs, those of this block's run.
template <int kRuns>
__device__ __forceinline__ void keys_of_block(const AttentionCall& c, int64_t b, int64_t i, int64_t* first,
                                              int64_t* last) {
  if (i < c.steps.data[b]) visible_keys(c, b, i, first, last);
  if (!c.partial.data) return;
  const int64_t run = (*last - *first + kRuns - 1) / kRuns;
  *first += run * blockIdx.z;
  if (*first + run < *last) *last = *first + run;
}

// The sums of the block's warps, put together as the partial result of its run.
__device__ inline void store_part(const AttentionCall& c, const float* shared, int value_width) {
  float m = -INFINITY, l = 0;
  for (int w = 0; w < kAttentionWarps; ++w) m = fmaxf(m, shared[w * (value_width + 2)]);
  for (int w = 0; w < kAttentionWarps; ++w) {
    const float* from = shared + w * (value_width + 2);
    l += from[1] != 0 ? from[1] * expf(from[0] - m) : 0.0f;
  }
  float* to = c.partial.data +
              ((int64_t{blockIdx.x} * gridDim.y + blockIdx.y) * gridDim.z + blockIdx.z) * (value_width + 2);
  if (threadIdx.x == 0) {
    to[0] = m;
    to[1] = l;
  }
  for (int u = static_cast<int>(threadIdx.x); u < value_width; u += 32 * kAttentionWarps) {
    float sum = 0;
    for (int w = 0; w < kAttentionWarps; ++w) {
      const float* from = shared + w * (value_width + 2);
      if (from[1] != 0) sum += from[2 + u] * expf(from[0] - m);
    }
    to[2 + u] = sum;
  }
}

// kEach: elements of a head's width that a lane holds in registers; 0: any number, in shared memory. Keys and
// values are of type T. Shared: for each warp m, l and U sums, then the query where it is not in registers.
template <class T, int kEach, int kRuns = kAttentionRuns>
__global__ void __launch_bounds__(32 * kAttentionWarps,
                                  kEach > 4 ? blocks_at_once(6, 3) : blocks_at_once(8, 4))
    attention_queries(const __grid_constant__ AttentionCall c) {
  IRPLAN_BLOCK(32 * kAttentionWarps);
  IRPLAN_SHARED(float, shared);
  constexpr bool kShared = kEach == 0;
  const int lane = static_cast<int>(threadIdx.x) & 31, warp = static_cast<int>(threadIdx.x) >> 5;
  const unsigned steps = static_cast<unsigned>(c.q.shape[1]), heads = static_cast<unsigned>(c.q.shape[2]);
  const int64_t b = blockIdx.x / steps, i = blockIdx.x % steps, h = blockIdx.y;
  const int64_t g = blockIdx.y / (heads / static_cast<unsigned>(c.k.shape[2]));
  const int width = static_cast<int>(c.q.shape[3]), value_width = static_cast<int>(c.v.shape[3]);
  const int key_parts = kShared ? (width + 31) / 32 : kEach,
            value_parts = kShared ? (value_width + 31) / 32 : kEach;
  float* sums = shared + warp * (value_width + 2);
  float* query = shared + kAttentionWarps * (value_width + 2);
  int64_t first = 0, last = 0;
  keys_of_block<kRuns>(c, b, i, &first, &last);

  // A lane's elements are lane, lane + 32, …: reads and writes of its own alone.
  float q[kShared ? 1 : kEach] = {}, acc[kShared ? 1 : kEach] = {};
  const int64_t q_at = b * c.q.stride[0] + i * c.q.stride[1] + h * c.q.stride[2];
  for (int e = 0; e < key_parts; ++e) {
    const int at = lane + 32 * e;
    if (at >= width) continue;
    const float x = load_number(c.q, q_at + at * c.q.stride[3]);
    if (!kShared) q[e] = x;
    if (kShared && warp == 0) query[at] = x;
  }
  for (int u = lane; kShared && u < value_width; u += 32) sums[2 + u] = 0;
  if (kShared) __syncthreads();
  const int64_t k_at = slot_of(c.key_slots, b) * c.k.stride[0] + g * c.k.stride[2];
  const int64_t v_at = slot_of(c.value_slots, b) * c.v.stride[0] + g * c.v.stride[2];

  float most = -INFINITY, total = 0;
  for (int64_t j0 = first + warp * kKeysAtOnce; j0 < last; j0 += kAttentionWarps * kKeysAtOnce) {
    float z[kKeysAtOnce], highest = most;
    for (int t = 0; t < kKeysAtOnce; ++t) {
      const int64_t j = j0 + t < last ? j0 + t : last - 1;
      const int64_t row = k_at + held_row(j, c.key_first.data, c.key_rows, b) * c.k.stride[1];
      float sum = 0;
      for (int e = 0; e < key_parts; ++e) {
        const int at = lane + 32 * e;
        if (at < width)
          sum += (kShared ? query[at] : q[kShared ? 0 : e]) * element_of<T>(c.k, row + at * c.k.stride[3]);
      }
      sum = warp_sum(sum) * c.scale;
      if (c.softcap > 0) sum = c.softcap * tanhf(sum / c.softcap);
      z[t] = j0 + t < last ? sum : -INFINITY;
      highest = fmaxf(highest, z[t]);
    }
    // Scores may all be -inf so far: then nothing is held that could shrink, and they weigh nothing.
    const float shrink = highest == -INFINITY ? 1.0f : expf(most - highest);
    most = highest;
    total *= shrink;
    float weight[kKeysAtOnce];
    for (int t = 0; t < kKeysAtOnce; ++t) {
      weight[t] = z[t] == -INFINITY ? 0.0f : expf(z[t] - most);
      total += weight[t];
    }
    for (int e = 0; e < value_parts; ++e) {
      const int at = lane + 32 * e;
      if (at >= value_width) continue;
      float sum = shrink * (kShared ? sums[2 + at] : acc[kShared ? 0 : e]);
      for (int t = 0; t < kKeysAtOnce; ++t) {
        if (j0 + t >= last) continue;
        const int64_t row = v_at + held_row(j0 + t, c.value_first.data, c.value_rows, b) * c.v.stride[1];
        sum += weight[t] * element_of<T>(c.v, row + at * c.v.stride[3]);
      }
      (kShared ? sums[2 + at] : acc[kShared ? 0 : e]) = sum;
    }
  }

  if (lane == 0) {
    sums[0] = most;
    sums[1] = total;
  }
  for (int e = 0; !kShared && e < value_parts; ++e) {
    if (lane + 32 * e < value_width) sums[2 + lane + 32 * e] = acc[e];
  }
  __syncthreads();
  if (!c.partial.data) return join_parts(c, shared, kAttentionWarps, b, i, h, value_width, first >= last);
  store_part(c, shared, value_width);
}

// A block a query and head: its runs put together.
template <int kRuns = kAttentionRuns>
__global__ void __launch_bounds__(64) attention_join(const __grid_constant__ AttentionCall c) {
  IRPLAN_BLOCK(64);
  const unsigned steps = static_cast<unsigned>(c.q.shape[1]);
  const int64_t b = blockIdx.x / steps, i = blockIdx.x % steps, h = blockIdx.y;
  const int value_width = static_cast<int>(c.v.shape[3]);
  int64_t first = 0, last = 0;
  if (i < c.steps.data[b]) visible_keys(c, b, i, &first, &last);
  const float* parts =
      c.partial.data + (int64_t{blockIdx.x} * gridDim.y + blockIdx.y) * kRuns * (value_width + 2);
  join_parts(c, parts, kRuns, b, i, h, value_width, first >= last);
}

}  // namespace irplan::IRPLAN_GPU
