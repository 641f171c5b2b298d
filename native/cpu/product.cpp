#include "cpu/product.h"

#include <algorithm>

#include "cpu/simd.h"

namespace irplan::cpu {
namespace {

constexpr int64_t kLeastWork = 1 << 15;  // multiplications that are worth another thread

}  // namespace

// Row i of the weight as f32, its blocks scaled.
const float* Product::row(int64_t i, float* scratch) const {
  const float* values = load_line(*w, first + i, scratch);
  if (!scale) return values;
  const float* scales = scale + i / block_rows * ((k + block_columns - 1) / block_columns);
  for (int64_t at = 0; at < k; at += block_columns) {
    const int64_t end = std::min(k, at + block_columns);
    for (int64_t j = at; j < end; ++j) scratch[j] = values[j] * scales[at / block_columns];
  }
  return scratch;
}

void Product::run() const {
  const Simd& math = simd();
  const int64_t each = std::max<int64_t>(1, rows * k);  // multiplications of a row of w
  const int64_t tiles = (n + kTile - 1) / kTile;
  parallel(tiles, std::max<int64_t>(1, kLeastWork / (each * kTile)), [&](int64_t begin, int64_t end) {
    float* scratch = room(Room::Fifth, kTile * k);
    float sums[kTile * kTile];
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t first_row = tile * kTile, outputs = std::min<int64_t>(kTile, n - first_row);
      const float* weights[kTile];
      for (int c = 0; c < kTile; ++c)
        weights[c] = c < outputs ? row(first_row + c, scratch + c * k) : weights[0];
      for (int64_t r = 0; r < rows; r += kTile) {
        const auto some = static_cast<int>(std::min<int64_t>(kTile, rows - r));
        math.tile(x + r, some, weights, k, sums, kTile);
        for (int i = 0; i < some; ++i) {
          for (int64_t c = 0; c < outputs; ++c)
            y[r + i][first_row + c] = sums[i * kTile + c] + (bias ? bias[first_row + c] : 0.0f);
        }
      }
    }
  });
}

}  // namespace irplan::cpu
