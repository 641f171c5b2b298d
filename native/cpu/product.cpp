#include "cpu/product.h"

#include <algorithm>

#include "cpu/simd.h"
#include "runtime/threads.h"

namespace irplan::cpu {
namespace {

constexpr int64_t kLeastWork = 1 << 15;  // multiplications that are worth another thread

}  // namespace

// Row i of the weight as f32, its blocks scaled.
const float* Product::row(int64_t i, std::vector<float>& scratch) const {
  const float* values = w->floats(first + i * k, k, scratch.data());
  if (!scale) return values;
  const float* scales = scale + i / block0 * ((k + block1 - 1) / block1);
  for (int64_t at = 0; at < k; at += block1) {
    const int64_t end = std::min(k, at + block1);
    for (int64_t j = at; j < end; ++j) scratch[static_cast<size_t>(j)] = values[j] * scales[at / block1];
  }
  return scratch.data();
}

void Product::run() const {
  const Simd& math = simd();
  const auto m = static_cast<int64_t>(x.size());
  const int64_t each = std::max<int64_t>(1, m * k);  // multiplications of a row of w
  const int64_t tiles = (n + kTile - 1) / kTile;
  parallel(tiles, std::max<int64_t>(1, kLeastWork / (each * kTile)), [&](int64_t begin, int64_t end) {
    std::vector<float> scratch[kTile];
    for (auto& s : scratch) s.resize(static_cast<size_t>(k));
    float sums[kTile * kTile];
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t first_row = tile * kTile, rows = std::min<int64_t>(kTile, n - first_row);
      const float* weights[kTile];
      for (int c = 0; c < kTile; ++c) weights[c] = c < rows ? row(first_row + c, scratch[c]) : weights[0];
      int64_t r = 0;
      for (; r + kTile <= m; r += kTile) {
        math.tile(x.data() + r, weights, k, sums);
        for (int i = 0; i < kTile; ++i) {
          for (int64_t c = 0; c < rows; ++c)
            y[static_cast<size_t>(r + i)][first_row + c] =
                sums[i * kTile + c] + (bias ? bias[first_row + c] : 0.0f);
        }
      }
      for (; r < m; ++r) {
        for (int64_t c = 0; c < rows; ++c) {
          y[static_cast<size_t>(r)][first_row + c] =
              math.dot(x[static_cast<size_t>(r)], weights[c], k) + (bias ? bias[first_row + c] : 0.0f);
        }
      }
    }
  });
}

}  // namespace irplan::cpu
