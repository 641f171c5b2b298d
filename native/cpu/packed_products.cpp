// Products with a weight in panels of 16 rows (ops/weight_layout.h), the same loops for every dtype.
//
//     a few rows of x    four panels side by side, each read once where it lies: at the speed of memory
//     many               a piece of a panel made f32 in the nearest cache, then multiplied by all rows
//
// Both add up an output in one order (cpu/simd.h), so which of them runs cannot be seen in the result.
#include <algorithm>

#include "cpu/kernels.h"
#include "cpu/lines.h"
#include "cpu/simd.h"
#include "ops/weight_layout.h"

namespace irplan::cpu {
namespace {

static_assert(kPanel == kPanelRows);
constexpr int64_t kLeastProducts = 1 << 15;  // multiplications that are worth another thread
constexpr int64_t kPieceColumns = 256;       // of a panel, as f32: half of the nearest cache
constexpr int64_t kMostRows = 512;           // whose sums lie in the second cache, and use one piece
static_assert(kPieceColumns == kPlainColumns && kPieceColumns % columns_together(DType::I4G128) == 0);

struct PackedProduct {
  const Tensor& w;
  const float* x;
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

  // Panels in lots of kMostFewPanels.
  void few(int64_t begin, int64_t end) const {
    float sums[kMostFewRows * kMostFewPanels * kPanel];
    const float* lines[kMostFewRows];
    for (int64_t i = 0; i < rows; ++i) lines[i] = x + i * k;
    for (int64_t p = begin * kMostFewPanels; p < std::min(panels(), end * kMostFewPanels);
         p += kMostFewPanels) {
      const auto some = static_cast<int>(std::min<int64_t>(kMostFewPanels, panels() - p));
      simd().few(lines, static_cast<int>(rows), w.dtype, panel(p), panel_bytes, some, k, sums);
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < some; ++j) put(i, p + j, sums + (i * some + j) * kPanel);
      }
    }
  }

  // Rows in blocks of about the same size, at most what `Simd::block` takes.
  int64_t blocks() const { return (rows + simd().block_rows - 1) / simd().block_rows; }
  int64_t first_row(int64_t block) const {
    const int64_t each = rows / blocks(), longer = rows % blocks();
    return block * each + std::min(block, longer);
  }

  // Rows of x column by column, block_rows of them side by side.
  void interleave(float* to) const {
    const int64_t width = simd().block_rows;
    parallel(blocks(), std::max<int64_t>(1, kLeastNumbers / (width * k)), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        for (int64_t r = first_row(b); r < first_row(b + 1); ++r) {
          float* place = to + b * width * k + (r - first_row(b));
          for (int64_t i = 0; i < k; ++i) place[i * width] = x[r * k + i];
        }
      }
    });
  }

  void many(int64_t begin, int64_t end, const float* interleaved) const {
    const int64_t blocks_a_round = std::max<int64_t>(1, kMostRows / simd().block_rows);
    for (int64_t p = begin; p < end; ++p) {
      for (int64_t first = 0; first < blocks(); first += blocks_a_round)
        round(p, first, std::min(blocks(), first + blocks_a_round), interleaved);
    }
  }

  // One panel by the rows of some blocks.
  void round(int64_t p, int64_t first, int64_t last, const float* interleaved) const {
    const Simd& math = simd();
    const int64_t width = math.block_rows;
    const int together = columns_together(w.dtype);
    float* wide = room(Room::Fifth, kPieceColumns * kPanel + kPieceColumns + (last - first) * width * kPanel);
    float* scales = wide + kPieceColumns * kPanel;  // 16 of at least 32 columns
    float* sums = scales + kPieceColumns;
    std::fill_n(sums, (last - first) * width * kPanel, 0.0f);
    for (int64_t i = 0; i < k; i += kPieceColumns) {
      const int64_t columns = std::min(kPieceColumns, k - i);
      const std::byte* stored = panel(p) + panel_bytes * i / k;
      const float* piece = wide;
      if (w.dtype == DType::F32)
        piece = reinterpret_cast<const float*>(stored);
      else
        math.widen_panel(w.dtype, stored, columns, wide, scales);
      for (int64_t b = first; b < last; ++b) {
        math.block(interleaved + (b * k + i) * width, static_cast<int>(first_row(b + 1) - first_row(b)),
                   piece, columns, together, is_block(w.dtype) ? scales : nullptr,
                   sums + (b - first) * width * kPanel);
      }
    }
    for (int64_t b = first; b < last; ++b) {
      for (int64_t r = first_row(b); r < first_row(b + 1); ++r)
        put(r, p, sums + ((b - first) * width + r - first_row(b)) * kPanel);
    }
  }
};

}  // namespace

void linear_packed(const LinearCall& c) {
  const float* x = all_lines(c.x, Room::First);
  float* y = results(c.y, Room::Second);
  const float* bias = c.bias.data ? all_lines(c.bias, Room::Third) : nullptr;
  const PackedProduct product{c.weight.w, x, bias, y, lines_of(c.x)};
  if (product.rows == 0) return;
  const int64_t each = std::max<int64_t>(1, product.rows * product.k * kPanel);
  const int64_t grain = std::max<int64_t>(1, kLeastProducts / each);
  if (product.rows <= kMostFewRows) {
    const int64_t lots = (product.panels() + kMostFewPanels - 1) / kMostFewPanels;
    parallel(lots, (grain + kMostFewPanels - 1) / kMostFewPanels,
             [&](int64_t begin, int64_t end) { product.few(begin, end); });
  } else {
    float* interleaved = room(Room::Fourth, product.blocks() * simd().block_rows * product.k);
    product.interleave(interleaved);
    parallel(product.panels(), grain,
             [&](int64_t begin, int64_t end) { product.many(begin, end, interleaved); });
  }
  give(c.y, y);
}

}  // namespace irplan::cpu
