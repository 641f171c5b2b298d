// matmul: rows of a times a weight that is stored [K, N], without axes to broadcast.
#include <algorithm>

#include "cpu/call.h"
#include "cpu/simd.h"
#include "runtime/threads.h"

namespace irplan::cpu {
namespace {

constexpr int64_t kColumns = 256;  // of a part: its sums stay in the nearest cache

}  // namespace

bool matmul(Call& call) {
  const auto w = call.weight(1);
  if (!w || w->shape.size() != 2 || is_block(w->dtype)) return false;
  const auto a = call.array(0);
  auto y = call.result();
  if (!a || !y) return true;
  const int64_t k = w->shape[0], n = w->shape[1], m = k ? a->count() / k : 0;
  parallel((n + kColumns - 1) / kColumns, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(kColumns);
    for (int64_t column = begin * kColumns; column < std::min(n, end * kColumns); column += kColumns) {
      const int64_t width = std::min(kColumns, n - column);
      for (int64_t r = 0; r < m; ++r) std::fill_n(y->f.data() + r * n + column, width, 0.0f);
      for (int64_t c = 0; c < k; ++c) {
        const float* row = w->floats(c * n + column, width, scratch.data());
        for (int64_t r = 0; r < m; ++r)
          simd().axpy(y->f.data() + r * n + column, a->f[static_cast<size_t>(r * k + c)], row, width);
      }
    }
  });
  call.store(*y);
  return true;
}

}  // namespace irplan::cpu
