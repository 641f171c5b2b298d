// Rows of x times the transposed rows of a weight: what linear and expert share.
#pragma once

#include "cpu/lines.h"

namespace irplan::cpu {

struct Product {
  const float* const* x = nullptr;  // `rows` of them, of k numbers each
  float* const* y = nullptr;        // a row of n numbers for each
  int64_t rows = 0;
  const Tensor* w = nullptr;  // the line of row 0 is `first`
  int64_t first = 0, n = 0, k = 0;
  const float* bias = nullptr;   // [n], or null
  const float* scale = nullptr;  // [ceil(n / block_rows), ceil(k / block_columns)], or null
  int64_t block_rows = 1, block_columns = 1;

  void run() const;

 private:
  const float* row(int64_t i, float* scratch) const;
};

}  // namespace irplan::cpu
