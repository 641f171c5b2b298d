// Products in whole numbers: a weight of blocks in panels by rows of x that are quantised by blocks of 32
// (ops/whole_rows.h). 32 columns are added up exactly, so that only the order of blocks is of interest: it is
// one for all shapes.
#include <algorithm>

#include "cpu/kernels.h"
#include "cpu/packed_product.h"

namespace irplan::cpu {
namespace {

// Rows of x, quantised: row by row for a few, in blocks column by column for many.
struct WholeRows {
  int16_t* numbers;
  float* scales;

  WholeRows(int64_t rows, int64_t k) {
    float* held = room(Room::Fourth, rows * (k / 2 + k / kWholeColumns));
    scales = held;
    numbers = reinterpret_cast<int16_t*>(held + rows * (k / kWholeColumns));
  }

  void row_by_row(const float* x, int64_t rows, int64_t k) const {
    for (int64_t r = 0; r < rows; ++r)
      simd().quantise(x + r * k, k, numbers + r * k, scales + r * (k / kWholeColumns));
  }

  void in_blocks(const float* x, int64_t k, const RowBlocks& blocks) const {
    const int64_t groups = k / kWholeColumns, width = blocks.width;
    parallel(blocks.count(), std::max<int64_t>(1, kLeastNumbers / (width * k)),
             [&](int64_t begin, int64_t end) {
               float* own = room(Room::Fifth, k / 2 + groups);
               auto* row = reinterpret_cast<int16_t*>(own + groups);
               for (int64_t b = begin; b < end; ++b) {
                 for (int64_t r = 0; r < blocks.size(b); ++r) {
                   simd().quantise(x + (blocks.first(b) + r) * k, k, row, own);
                   int16_t* to = numbers + b * width * k + 2 * r;
                   for (int64_t i = 0; i < k; i += 2) {
                     to[i * width] = row[i];
                     to[i * width + 1] = row[i + 1];
                   }
                   for (int64_t g = 0; g < groups; ++g) scales[(b * groups + g) * width + r] = own[g];
                 }
               }
             });
  }
};

// One panel by the rows of blocks [first, last).
void multiply_round(const PackedProduct& of, const RowBlocks& blocks, int64_t p, int64_t first, int64_t last,
                    const WholeRows& x) {
  const Simd& math = simd();
  const int64_t sums_a_block = blocks.width * kPanel, groups = of.k / kWholeColumns;
  float* sums = room(Room::Fifth, (last - first) * sums_a_block + kPieceColumns + kPieceColumns * kPanel / 2);
  float* scales = sums + (last - first) * sums_a_block;
  auto* piece = reinterpret_cast<int16_t*>(scales + kPieceColumns);
  std::fill_n(sums, (last - first) * sums_a_block, 0.0f);
  for (int64_t i = 0; i < of.k; i += kPieceColumns) {
    const int64_t columns = std::min(kPieceColumns, of.k - i);
    math.widen_whole(of.w.dtype, of.panel(p) + of.panel_bytes * i / of.k, columns, piece, scales);
    for (int64_t b = first; b < last; ++b) {
      math.block_whole(x.numbers + (b * of.k + i) * blocks.width,
                       x.scales + (b * groups + i / kWholeColumns) * blocks.width, blocks.size(b), piece,
                       columns, columns_together(of.w.dtype), scales, sums + (b - first) * sums_a_block);
    }
  }
  of.put_round(blocks, p, first, last, sums);
}

}  // namespace

void linear_whole(const LinearCall& c) {
  const float* x = all_lines(c.x, Room::First);
  float* y = results(c.y, Room::Second);
  const float* bias = c.bias.data ? all_lines(c.bias, Room::Third) : nullptr;
  const PackedProduct product{c.weight.w, bias, y, lines_of(c.x)};
  const int64_t rows = product.rows, k = product.k;
  if (rows == 0) return;
  if (rows <= kFewRows) {
    const WholeRows whole(rows, k);
    whole.row_by_row(x, rows, k);
    const int16_t* lines[kFewRows];
    const float* scales[kFewRows];
    for (int64_t i = 0; i < rows; ++i) {
      lines[i] = whole.numbers + i * k;
      scales[i] = whole.scales + i * (k / kWholeColumns);
    }
    product.by_few([&](int64_t first, int count, int64_t p, int some, float* sums) {
      simd().few_whole(lines + first, scales + first, count, product.w.dtype, product.panel(p),
                       product.panel_bytes, some, k, sums);
    });
  } else {
    const RowBlocks blocks{rows, simd().whole_rows};
    const WholeRows whole(blocks.count() * blocks.width, k);
    whole.in_blocks(x, k, blocks);
    product.by_rounds(blocks, [&](int64_t p, int64_t first, int64_t last) {
      multiply_round(product, blocks, p, first, last, whole);
    });
  }
  give(c.y, y);
}

}  // namespace irplan::cpu
