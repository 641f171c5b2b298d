// Products with a weight in panels of 16 rows (ops/weight_layout.h), the same loops for every dtype.
//
//     a few rows of x    four panels side by side, each read once where it lies: at the speed of memory
//     many               a piece of a panel made f32 in the nearest cache, then multiplied by all rows
//
// Both add up an output in one order (cpu/simd.h), so which of them runs cannot be seen in the result.
#include <algorithm>

#include "cpu/kernels.h"
#include "cpu/packed_product.h"

namespace irplan::cpu {
namespace {

// Rows of x column by column, `width` of them side by side.
void interleave(const float* x, int64_t k, const RowBlocks& blocks, float* to) {
  parallel(blocks.count(), std::max<int64_t>(1, kLeastNumbers / (blocks.width * k)),
           [&](int64_t begin, int64_t end) {
             for (int64_t b = begin; b < end; ++b) {
               for (int64_t r = blocks.first(b); r < blocks.first(b + 1); ++r) {
                 float* place = to + b * blocks.width * k + (r - blocks.first(b));
                 for (int64_t i = 0; i < k; ++i) place[i * blocks.width] = x[r * k + i];
               }
             }
           });
}

// One panel by the rows of blocks [first, last).
void multiply_round(const PackedProduct& of, const RowBlocks& blocks, int64_t p, int64_t first, int64_t last,
                    const float* interleaved) {
  const Simd& math = simd();
  const DType dtype = of.w.dtype;
  const int64_t sums_a_block = blocks.width * kPanel;
  float* wide = room(Room::Fifth, kPieceColumns * kPanel + kPieceColumns + (last - first) * sums_a_block);
  float* scales = wide + kPieceColumns * kPanel;  // 16 of at least 32 columns
  float* sums = scales + kPieceColumns;
  std::fill_n(sums, (last - first) * sums_a_block, 0.0f);
  for (int64_t i = 0; i < of.k; i += kPieceColumns) {
    const int64_t columns = std::min(kPieceColumns, of.k - i);
    const std::byte* stored = of.panel(p) + of.panel_bytes * i / of.k;
    const float* piece = wide;
    if (dtype == DType::F32)
      piece = reinterpret_cast<const float*>(stored);
    else
      math.widen_panel(dtype, stored, columns, wide, scales);
    for (int64_t b = first; b < last; ++b) {
      math.block(interleaved + (b * of.k + i) * blocks.width, blocks.size(b), piece, columns,
                 columns_together(dtype), is_block(dtype) ? scales : nullptr,
                 sums + (b - first) * sums_a_block);
    }
  }
  of.put_round(blocks, p, first, last, sums);
}

}  // namespace

void linear_packed(const LinearCall& c) {
  const float* x = activations(c.x, c.whole, Room::First);
  float* y = results(c.y, Room::Second);
  const float* bias = c.bias.data ? all_lines(c.bias, Room::Third) : nullptr;
  const PackedProduct product{c.weight.w, bias, y, lines_of(c.x)};
  const int64_t rows = product.rows, k = product.k;
  if (rows == 0) return;
  if (rows <= kFewRows) {
    const float* lines[kFewRows];
    for (int64_t i = 0; i < rows; ++i) lines[i] = x + i * k;
    product.by_few([&](int64_t first, int count, int64_t p, int some, float* sums) {
      simd().few(lines + first, count, product.w.dtype, product.panel(p), product.panel_bytes, some, k, sums);
    });
  } else {
    const RowBlocks blocks{rows, simd().block_rows};
    float* interleaved = room(Room::Fourth, blocks.count() * blocks.width * k);
    interleave(x, k, blocks, interleaved);
    product.by_rounds(blocks, [&](int64_t p, int64_t first, int64_t last) {
      multiply_round(product, blocks, p, first, last, interleaved);
    });
  }
  give(c.y, y);
}

}  // namespace irplan::cpu
