// sum, max, argmax along one axis (which the host has made the last), and topk of the last. Oracle:
// core/src/ops/reduce.cpp.
#pragma once

#include "cuda/kernels/order.cuh"

namespace irplan::IRPLAN_GPU {

__global__ void __launch_bounds__(256, 4)
    sum_lines(const __grid_constant__ Tensor x, const __grid_constant__ Tensor y) {
  IRPLAN_BLOCK(256);
  IRPLAN_SHARED(float, scratch);
  const int axis = x.rank - 1;
  const int64_t width = x.shape[axis];
  const unsigned line = blockIdx.x;
  const int64_t from = place_of(line, axis, x.shape, x.stride), to = place_of(line, axis, x.shape, y.stride);
  if (holds_floats(x.dtype)) {
    float total = 0;
    for (int64_t i = threadIdx.x; i < width; i += blockDim.x)
      total += load_number(x, from + i * x.stride[axis]);
    total = block_sum(total, scratch);
    if (threadIdx.x == 0) store_number(y, to, total);
    return;
  }
  if (threadIdx.x != 0) return;  // integers are rare
  uint64_t total = 0;            // wraps
  for (int64_t i = 0; i < width; ++i)
    total += static_cast<uint64_t>(load_integer(x.dtype, x.data, from + i * x.stride[axis]));
  store_integer(y.dtype, y.data, to, static_cast<int64_t>(total));
}

// The best of a line's elements from `begin` to `end` that comes after `last` in the order; of all of them
// where `last` is nothing.
__device__ inline Found best_after(const Tensor& x, int64_t from, int64_t begin, int64_t end,
                                   const Found& last, Found* scratch) {
  const int64_t step = x.stride[x.rank - 1];
  Found own;
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    const Found here{key_at(x, from + i * step), i};
    if ((last.index == INT64_MAX || better(last, here)) && better(here, own)) own = here;
  }
  return block_best(own, scratch);
}

__device__ inline void copy_element(const Tensor& x, int64_t from, const Tensor& y, int64_t to) {
  if (holds_floats(x.dtype)) {
    store_number(y, to, load_number(x, from));
  } else {
    store_integer(y.dtype, y.data, to, load_integer(x.dtype, x.data, from));
  }
}

// Its place, or the element itself.
__device__ inline void store_best(const Tensor& x, int64_t from, const Found& best, const Tensor& y,
                                  int64_t to, bool place) {
  if (place) {
    store_integer(y.dtype, y.data, to, best.index);
  } else {
    copy_element(x, from + best.index * x.stride[x.rank - 1], y, to);
  }
}

__global__ void __launch_bounds__(256)
    best_lines(const __grid_constant__ Tensor x, const __grid_constant__ Tensor y, bool place) {
  IRPLAN_BLOCK(256);
  IRPLAN_SHARED(Found, scratch);
  const int axis = x.rank - 1;
  const unsigned line = blockIdx.x;
  const int64_t from = place_of(line, axis, x.shape, x.stride), to = place_of(line, axis, x.shape, y.stride);
  const Found best = best_after(x, from, 0, x.shape[axis], Found{}, scratch);
  if (threadIdx.x == 0) store_best(x, from, best, y, to, place);
}

// A line in parts of one length, a block each.
__global__ void __launch_bounds__(256) best_parts(const __grid_constant__ Tensor x, Found* parts) {
  IRPLAN_BLOCK(256);
  IRPLAN_SHARED(Found, scratch);
  const int axis = x.rank - 1;
  const int64_t width = x.shape[axis], each = (width + gridDim.y - 1) / gridDim.y;
  const int64_t begin = each * blockIdx.y, end = begin + each < width ? begin + each : width;
  const int64_t from = place_of(blockIdx.x, axis, x.shape, x.stride);
  const Found best = best_after(x, from, begin, end, Found{}, scratch);
  if (threadIdx.x == 0) parts[int64_t{blockIdx.x} * gridDim.y + blockIdx.y] = best;
}

// The best of a line's parts: a thread each.
__global__ void __launch_bounds__(kLineParts)
    best_join(const __grid_constant__ Tensor x, const __grid_constant__ Tensor y, const Found* parts,
              bool place) {
  IRPLAN_BLOCK(kLineParts);
  IRPLAN_SHARED(Found, scratch);
  const int axis = x.rank - 1;
  const unsigned line = blockIdx.x;
  const Found best = block_best(parts[int64_t{line} * kLineParts + threadIdx.x], scratch);
  if (threadIdx.x != 0) return;
  store_best(x, place_of(line, axis, x.shape, x.stride), best, y, place_of(line, axis, x.shape, y.stride),
             place);
}

__global__ void __launch_bounds__(256)
    topk_lines(const __grid_constant__ Tensor x, const __grid_constant__ Tensor values,
               const __grid_constant__ Tensor ids) {
  IRPLAN_BLOCK(256);
  IRPLAN_SHARED(Found, scratch);
  const int axis = x.rank - 1;
  const int64_t k = values.shape[axis];
  const unsigned line = blockIdx.x;
  const int64_t from = place_of(line, axis, x.shape, x.stride);
  const int64_t value = place_of(line, axis, x.shape, values.stride),
                id = place_of(line, axis, x.shape, ids.stride);
  Found last;
  for (int64_t j = 0; j < k; ++j) {
    last = best_after(x, from, 0, x.shape[axis], last, scratch);
    if (threadIdx.x != 0) continue;
    copy_element(x, from + last.index * x.stride[axis], values, value + j * values.stride[axis]);
    store_integer(ids.dtype, ids.data, id + j * ids.stride[axis], last.index);
  }
}

}  // namespace irplan::IRPLAN_GPU
