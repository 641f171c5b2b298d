// Rows of x times the transposed rows of a weight: what linear and expert share.
#pragma once

#include <vector>

#include "cpu/call.h"

namespace irplan::cpu {

struct Product {
  std::vector<const float*> x;  // rows of K
  std::vector<float*> y;        // a row of N for each of them
  const Weight* w = nullptr;    // [N, K] from element `first`
  int64_t first = 0, n = 0, k = 0;
  const float* bias = nullptr;   // [N], or null
  const float* scale = nullptr;  // [ceil(N / block0), ceil(K / block1)], or null
  int64_t block0 = 1, block1 = 1;

  void run() const;

 private:
  const float* row(int64_t i, std::vector<float>& scratch) const;
};

}  // namespace irplan::cpu
