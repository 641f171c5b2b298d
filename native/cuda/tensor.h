// A tensor as a kernel sees it: a pointer on the device, extents, and strides in elements. Plain data, passed
// by value.
//
// The same sources are built twice: by nvcc for a GPU (namespace irplan::cuda), and by any C++ compiler with
// simt.h for tests on a CPU (namespace irplan::simt).
#pragma once

#include <cstddef>
#include <cstdint>

#include "irplan/dtype.h"

#ifdef IRPLAN_GPU  // a test's own copy
#elif defined(IRPLAN_SIMT)
#define IRPLAN_GPU simt
#else
#define IRPLAN_GPU cuda
#endif

namespace irplan::IRPLAN_GPU {

constexpr int kMaxAxes = 6;

struct Tensor {
  std::byte* data = nullptr;  // null: an absent operand
  DType dtype = DType::F32;
  int32_t rank = 0;
  int64_t shape[kMaxAxes] = {};
  int64_t stride[kMaxAxes] = {};  // elements

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

// What a kernel found wrong in data that no host saw (a token id, an expert). The first one wins; `op` is its
// index plus one, 0 for none.
struct DataFault {
  int32_t op = 0;
  int32_t operand = 0;  // whose element it is
  int64_t place = 0;    // of the element, in row-major order
  int64_t found = 0;
  int64_t limit = 0;
};

}  // namespace irplan::IRPLAN_GPU
