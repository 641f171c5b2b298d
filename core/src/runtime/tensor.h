// A tensor as a kernel sees it: where its bytes lie, extents, and strides in elements. Plain data, passed by
// value; also to device code, so this header is C++17.
//
// Prepared once, it holds a place: a segment and an offset in it, whatever the address of the segment. Before
// a kernel runs, the place becomes a pointer (Program, backend.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "irplan/dtype.h"

namespace irplan {

// One allocation of a run: those of the plan, the weights that only folding reads, and numbers that a kernel
// needs and a plan does not hold (rope's frequencies).
enum class MemorySegment : int8_t { None = -1, Inputs, Weights, State, Arena, Loading, Constants };
constexpr int kMemorySegments = 6;

constexpr int kMaxAxes = 6;

struct Tensor {
  std::byte* data = nullptr;  // null: an absent operand, or one that is only prepared
  DType dtype = DType::F32;
  MemorySegment segment = MemorySegment::None;  // None: an absent operand
  int32_t rank = 0;
  int64_t offset = 0;  // bytes in the segment
  int64_t shape[kMaxAxes] = {};
  int64_t stride[kMaxAxes] = {};  // elements

  bool present() const { return segment != MemorySegment::None || data; }
  int64_t count() const {
    int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= shape[i];
    return n;
  }
  // Extent and stride of an axis counted from the end; 1 and 0 where the tensor has fewer axes.
  int64_t extent(int from_end) const { return from_end <= rank ? shape[rank - from_end] : 1; }
  int64_t step(int from_end) const { return from_end <= rank ? stride[rank - from_end] : 0; }
  bool dense() const {
    int64_t expected = 1;
    for (int i = rank - 1; i >= 0; --i) {
      if (shape[i] != 1 && stride[i] != expected) return false;
      expected *= shape[i];
    }
    return true;
  }
  // True where elements can be read 16 bytes at a time from the start of each row of the last axis.
  bool rows_aligned(int bytes_per_element) const {
    const int64_t lanes = 16 / bytes_per_element;
    if (reinterpret_cast<uintptr_t>(data) % 16 != 0 || step(1) != 1 || extent(1) % lanes != 0) return false;
    for (int i = 0; i + 1 < rank; ++i) {
      if (shape[i] != 1 && stride[i] % lanes != 0) return false;
    }
    return true;
  }
};

// Numbers of the control block: one for each sequence of a step. `place` counts them from the block's start.
struct Table {
  const int32_t* data = nullptr;
  int32_t place = -1;  // -1: absent
};

// Bytes that a kernel works in; its plan's scratch.
struct Scratch {
  float* data = nullptr;
  MemorySegment segment = MemorySegment::None;
  int64_t offset = 0;
};

// What a kernel found wrong in data that no host saw (a token id, an expert). The first one wins; `op` is its
// index plus one, 0 for none.
struct DataFault {
  int32_t op = 0;
  int32_t operand = 0;  // whose element it is
  int64_t place = 0;    // of the element, in row-major order
  int64_t found = 0;
  int64_t limit = 0;
};

}  // namespace irplan
