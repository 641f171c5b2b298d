// append: new rows written to a state where they lie. Oracle: core/src/ops/append.cpp, and
// core/src/reference/executor.cpp for rings: position p lies in row p mod rows.
#pragma once

#include "cuda/kernels/functions.cuh"
#include "cuda/kernels/quantise.cuh"

namespace irplan::IRPLAN_GPU {

// Where row `s` of sequence `b` goes; false where the sequence has no such row, or the state no room (the
// host has checked).
__device__ inline bool target_row(const AppendCall& c, int64_t b, int64_t s, int64_t* row) {
  if (s >= c.fresh.data[b]) return false;
  const int64_t position = c.at.data[b] + s, held = c.state.shape[1];
  *row = c.ring ? position % held : position;
  return *row < held;
}

// `units` is elements of a row of x, or blocks of one where the state has a block dtype.
__global__ void __launch_bounds__(256, 4)
    append_rows(const __grid_constant__ AppendCall c, int64_t units, int64_t count) {
  IRPLAN_BLOCK(256);
  const bool blocks = block_elements(c.state.dtype) > 1, floats = holds_floats(c.x.dtype);
  const int n = block_elements(c.state.dtype);
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t line = i / units, unit = i - line * units;
    const int64_t b = line / c.x.shape[1], s = line - b * c.x.shape[1];
    int64_t row = 0;
    if (!target_row(c, b, s, &row)) continue;
    const int inner = c.x.rank - 2;
    const int64_t from =
        b * c.x.stride[0] + s * c.x.stride[1] + place_of(unit * n, inner, c.x.shape + 2, c.x.stride + 2);
    const int64_t to = c.slots.data[b] * c.state.stride[0] + row * c.state.stride[1] +
                       place_of(unit * n, inner, c.x.shape + 2, c.state.stride + 2);
    if (blocks) {
      quantise_block(c.x, from, c.x.stride[c.x.rank - 1], c.state.dtype,
                     reinterpret_cast<uint8_t*>(c.state.data) + to / n * block_bytes(c.state.dtype));
    } else if (floats) {
      store_number(c.state, to, load_number(c.x, from));
    } else {
      store_integer(c.state.dtype, c.state.data, to, load_integer(c.x.dtype, c.x.data, from));
    }
  }
}

}  // namespace irplan::IRPLAN_GPU
