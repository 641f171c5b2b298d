// What products with a weight in panels share: where panels lie, and rows of x in blocks.
#pragma once

#include <algorithm>

#include "cpu/lines.h"
#include "cpu/simd.h"
#include "ops/weight_layout.h"

namespace irplan::cpu {

static_assert(kPanel == kPanelRows);
constexpr int64_t kLeastProducts = 1 << 15;  // multiplications that are worth another thread
constexpr int64_t kPieceColumns = 256;       // of a panel that is widened: half of the nearest cache
constexpr int64_t kMostRows = 512;           // whose sums lie in the second cache, and use one piece
static_assert(kPieceColumns == kPlainColumns && kPieceColumns % columns_together(DType::I4G128) == 0);

// Rows of x up to which panels are read where they lie, kMostFewRows at a time: the later ones from the
// cache.
constexpr int64_t kFewRows = 2 * kMostFewRows;

// Rows in blocks of about the same size, at most `width`.
struct RowBlocks {
  int64_t rows, width;
  int64_t count() const { return (rows + width - 1) / width; }
  int64_t first(int64_t block) const {
    const int64_t each = rows / count(), longer = rows % count();
    return block * each + std::min(block, longer);
  }
  int size(int64_t block) const { return static_cast<int>(first(block + 1) - first(block)); }
  // Blocks of a round: those whose rows use one piece of a panel.
  int64_t a_round() const { return std::max<int64_t>(1, kMostRows / width); }
};

struct PackedProduct {
  const Tensor& w;
  const float* bias;  // null: none
  float* y;
  int64_t rows, n = w.shape[0], k = w.shape[1];
  int64_t panel_bytes = kPanel * k / info(w.dtype).elements * info(w.dtype).bytes;

  int64_t panels() const { return (n + kPanel - 1) / kPanel; }
  const std::byte* panel(int64_t p) const { return w.data + p * panel_bytes; }
  void put(int64_t row, int64_t p, const float* sums) const {
    const int64_t first = p * kPanel, outputs = std::min<int64_t>(kPanel, n - first);
    float* to = y + row * n + first;
    for (int64_t j = 0; j < outputs; ++j) to[j] = sums[j] + (bias ? bias[first + j] : 0.0f);
  }

  // Calls multiply(first row, rows, panel, how many, sums) for all panels, kMostFewPanels at a time, with
  // sums[(row * how many + i) * kPanel], and stores them. At most kFewRows rows.
  template <class Multiply>
  void by_few(const Multiply& multiply) const {
    const int64_t lots = (panels() + kMostFewPanels - 1) / kMostFewPanels;
    const int64_t each = std::max<int64_t>(1, rows * k * kPanel * kMostFewPanels);
    parallel(lots, std::max<int64_t>(1, kLeastProducts / each), [&](int64_t begin, int64_t end) {
      float sums[kFewRows * kMostFewPanels * kPanel];
      for (int64_t p = begin * kMostFewPanels; p < std::min(panels(), end * kMostFewPanels);
           p += kMostFewPanels) {
        const auto some = static_cast<int>(std::min<int64_t>(kMostFewPanels, panels() - p));
        for (int64_t r = 0; r < rows; r += kMostFewRows)
          multiply(r, static_cast<int>(std::min<int64_t>(kMostFewRows, rows - r)), p, some,
                   sums + r * some * kPanel);
        for (int64_t i = 0; i < rows; ++i) {
          for (int64_t j = 0; j < some; ++j) put(i, p + j, sums + (i * some + j) * kPanel);
        }
      }
    });
  }

  // Calls multiply(panel, first block, last block) for each panel and each round of blocks of rows.
  template <class Multiply>
  void by_rounds(const RowBlocks& blocks, const Multiply& multiply) const {
    const int64_t each = std::max<int64_t>(1, rows * k * kPanel);
    parallel(panels(), std::max<int64_t>(1, kLeastProducts / each), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        for (int64_t b = 0; b < blocks.count(); b += blocks.a_round())
          multiply(p, b, std::min(blocks.count(), b + blocks.a_round()));
      }
    });
  }

  // Stores a round's sums of one panel: blocks of `width` rows, kPanel sums a row.
  void put_round(const RowBlocks& blocks, int64_t p, int64_t first, int64_t last, const float* sums) const {
    for (int64_t b = first; b < last; ++b, sums += blocks.width * kPanel) {
      for (int64_t r = 0; r < blocks.size(b); ++r) put(blocks.first(b) + r, p, sums + r * kPanel);
    }
  }
};

// A row of a weight in panels, as f32 in `to`.
const float* panel_row(const Tensor& w, int64_t row, float* to);

}  // namespace irplan::cpu
