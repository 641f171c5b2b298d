// Products with weights, and of two activations.
#include <algorithm>

#include "cpu/kernels.h"
#include "cpu/product.h"
#include "cpu/simd.h"
#include "ops/weight_layout.h"

namespace irplan::cpu {
namespace {

constexpr int64_t kLeastProducts = 1 << 15;  // multiplications that are worth another thread
constexpr int64_t kColumns = 256;            // of a part of matmul: its sums stay in the nearest cache

// Pointers to rows, in a list that is used again.
struct Pointers {
  std::vector<const float*> x;
  std::vector<float*> y;
};
Pointers& pointers() {
  thread_local Pointers own;
  own.x.clear();
  own.y.clear();
  return own;
}

// All lines of `t` as f32: where they lie, if they lie side by side, else in the room.
const float* all_lines(const Tensor& t, Room which) {
  if (t.dtype == DType::F32 && t.dense()) return reinterpret_cast<const float*>(t.data);
  const int64_t n = width_of(t), lines = lines_of(t);
  float* to = room(which, lines * n);
  for (int64_t i = 0; i < lines; ++i) {
    const float* from = load_line(t, i, to + i * n);
    if (from != to + i * n) std::copy_n(from, n, to + i * n);
  }
  return to;
}

// Where results are made: in the tensor, if it holds f32 side by side, else in the room, stored by `give`.
float* results(const Tensor& y, Room which) {
  if (y.dtype == DType::F32 && y.dense()) return reinterpret_cast<float*>(y.data);
  return room(which, y.count());
}
void give(const Tensor& y, const float* made) {
  if (reinterpret_cast<const std::byte*>(made) == y.data) return;
  for (int64_t i = 0; i < lines_of(y); ++i) store_line(y, i, made + i * width_of(y));
}

}  // namespace

void linear(const LinearCall& c) {
  const Tensor& w = c.weight.w;
  Product product;
  product.w = &w;
  product.k = width_of(w);
  product.n = w.extent(2);
  product.block_rows = c.weight.block_rows;
  product.block_columns = c.weight.block_columns;
  const float* x = all_lines(c.x, Room::First);
  float* y = results(c.y, Room::Second);
  product.bias = c.bias.data ? all_lines(c.bias, Room::Third) : nullptr;
  const float* scales = c.weight.scale.data ? all_lines(c.weight.scale, Room::Fourth) : nullptr;
  const int64_t groups = w.rank == 3 ? w.shape[0] : 1, rows = lines_of(c.x);
  const int64_t scales_a_group = scales ? c.weight.scale.count() / groups : 0;
  for (int64_t g = 0; g < groups; ++g) {
    Pointers& lists = pointers();
    for (int64_t r = g; r < rows; r += groups) {
      lists.x.push_back(x + r * product.k);
      lists.y.push_back(y + r * product.n);
    }
    product.x = lists.x.data();
    product.y = lists.y.data();
    product.rows = static_cast<int64_t>(lists.x.size());
    product.first = g * product.n;
    product.scale = scales ? scales + g * scales_a_group : nullptr;
    product.run();
  }
  give(c.y, y);
}

void expert(const ExpertCall& c) {
  const Tensor& w = c.weight.w;
  const int64_t experts = w.shape[0], choices = width_of(c.e), all = c.e.count();
  Product product;
  product.w = &w;
  product.n = w.shape[1];
  product.k = w.shape[2];
  product.block_rows = c.weight.block_rows;
  product.block_columns = c.weight.block_columns;
  const float* x = all_lines(c.x, Room::First);
  float* y = results(c.y, Room::Second);
  const float* bias = c.bias.data ? all_lines(c.bias, Room::Third) : nullptr;
  const float* scales = c.weight.scale.data ? all_lines(c.weight.scale, Room::Fourth) : nullptr;
  const int64_t scales_an_expert = scales ? c.weight.scale.count() / experts : 0;
  const auto chosen = [&](int64_t at) {
    return load_int(c.e.dtype, c.e.data, line_at(c.e, at / choices) + at % choices * c.e.step(1));
  };
  for (int64_t at = 0; at < all; ++at) {
    if (chosen(at) >= 0 && chosen(at) < experts) continue;
    if (c.fault->op == 0) *c.fault = {c.op + 1, 2, at, chosen(at), experts};
    return;
  }
  // Tokens of one expert are multiplied together, so that its weight is read once.
  for (int64_t e = 0; e < experts; ++e) {
    Pointers& lists = pointers();
    for (int64_t at = 0; at < all; ++at) {
      if (chosen(at) != e) continue;
      lists.x.push_back(x + (c.shared_rows ? at / choices : at) * product.k);
      lists.y.push_back(y + at * product.n);
    }
    if (lists.x.empty()) continue;
    product.x = lists.x.data();
    product.y = lists.y.data();
    product.rows = static_cast<int64_t>(lists.x.size());
    product.first = e * product.n;
    product.bias = bias ? bias + e * product.n : nullptr;
    product.scale = scales ? scales + e * scales_an_expert : nullptr;
    product.run();
  }
  give(c.y, y);
}

void matmul(const MatmulCall& c) {
  const int64_t m = c.y.extent(2), n = c.y.extent(1), k = c.a.extent(1);
  const int64_t batches = m * n > 0 ? c.y.count() / (m * n) : 0, parts = (n + kColumns - 1) / kColumns;
  float* y = results(c.y, Room::First);
  const int axes = c.y.rank - 2;
  for (int64_t batch = 0; batch < batches; ++batch) {
    const int64_t a_at = line_at(c.a, axes, batch), b_at = line_at(c.b, axes, batch);
    float* a = room(Room::Second, m * k);
    for (int64_t r = 0; r < m; ++r) {
      const float* from = load_line(c.a, a_at + r * c.a.step(2), k, c.a.step(1), a + r * k);
      if (from != a + r * k) std::copy_n(from, k, a + r * k);
    }
    float* out = y + batch * m * n;
    parallel(parts, 1, [&](int64_t begin, int64_t end) {
      float* scratch = room(Room::Third, kColumns);
      for (int64_t column = begin * kColumns; column < std::min(n, end * kColumns); column += kColumns) {
        const int64_t width = std::min(kColumns, n - column);
        for (int64_t r = 0; r < m; ++r) std::fill_n(out + r * n + column, width, 0.0f);
        for (int64_t i = 0; i < k; ++i) {
          const float* row =
              load_line(c.b, b_at + i * c.b.step(2) + column * c.b.step(1), width, c.b.step(1), scratch);
          for (int64_t r = 0; r < m; ++r) simd().axpy(out + r * n + column, a[r * k + i], row, width);
        }
      }
    });
  }
  give(c.y, y);
}

namespace {

constexpr int64_t kBlockColumns = 256;  // of a panel, as f32: half of the nearest cache
constexpr int64_t kBlocksOfRows = 16;   // that use a block of the panel before the next one is widened

// A weight in panels by rows of x.
struct PackedProduct {
  const Tensor& w;
  const float* x;
  const float* bias;  // null: none
  float* y;
  int64_t rows, n = w.shape[0], k = w.shape[1];

  int64_t panels() const { return (n + kPanelRows - 1) / kPanelRows; }
  const std::byte* panel(int64_t p) const { return w.data + p * kPanelRows * k * info(w.dtype).bytes; }
  void put(int64_t row, int64_t p, const float* sums) const {
    const int64_t first = p * kPanelRows, outputs = std::min(kPanelRows, n - first);
    for (int64_t j = 0; j < outputs; ++j) y[row * n + first + j] = sums[j] + (bias ? bias[first + j] : 0.0f);
  }

  // A few rows: each panel is read once, straight from memory.
  void few(int64_t begin, int64_t end) const {
    float sums[kPanelTile * kPanelRows];
    const float* lines[kPanelTile];
    for (int64_t p = begin; p < end; ++p) {
      for (int i = 0; i < rows; ++i) lines[i] = x + i * k;
      simd().panel(lines, static_cast<int>(rows), w.dtype, panel(p), k, sums);
      for (int i = 0; i < rows; ++i) put(i, p, sums + i * kPanelRows);
    }
  }

  // Rows of x for `Simd::block`: block_rows of them side by side, column by column.
  void interleave(float* to) const {
    const int64_t each = simd().block_rows, blocks = (rows + each - 1) / each;
    parallel(blocks, std::max<int64_t>(1, kLeastNumbers / (each * k)), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin * each; r < std::min(rows, end * each); ++r) {
        float* block = to + r / each * each * k + r % each;
        for (int64_t i = 0; i < k; ++i) block[i * each] = x[r * k + i];
      }
    });
  }

  void many(int64_t begin, int64_t end, const float* interleaved) const {
    const Simd& math = simd();
    const int64_t each = math.block_rows, sums_a_block = kPartial * each * kPanelRows;
    const int64_t chunk = kBlocksOfRows * each, bytes = kPanelRows * info(w.dtype).bytes;
    float* wide = room(Room::Fifth, kBlockColumns * kPanelRows + kBlocksOfRows * sums_a_block);
    float* sums = wide + kBlockColumns * kPanelRows;
    for (int64_t p = begin; p < end; ++p) {
      for (int64_t first = 0; first < rows; first += chunk) {
        const int64_t last = std::min(rows, first + chunk), blocks = (last - first + each - 1) / each;
        std::fill_n(sums, blocks * sums_a_block, 0.0f);
        for (int64_t i = 0; i < k; i += kBlockColumns) {
          const int64_t columns = std::min(kBlockColumns, k - i);
          const float* block = wide;
          if (w.dtype == DType::F32)
            block = reinterpret_cast<const float*>(panel(p) + i * bytes);
          else
            math.widen(w.dtype, panel(p) + i * bytes, columns * kPanelRows, wide);
          for (int64_t b = 0; b < blocks; ++b) {
            const int64_t row = first + b * each;
            math.block(interleaved + row * k + i * each, static_cast<int>(std::min(each, last - row)), block,
                       columns, sums + b * sums_a_block);
          }
        }
        for (int64_t row = first; row < last; ++row) {
          const float* own = sums + (row - first) / each * sums_a_block + (row - first) % each * kPanelRows;
          const int64_t step = each * kPanelRows;  // from one partial sum to the next
          float out[kPanelRows];
          for (int64_t j = 0; j < kPanelRows; ++j)
            out[j] = (own[j] + own[step + j]) + (own[2 * step + j] + own[3 * step + j]);
          put(row, p, out);
        }
      }
    }
  }
};

}  // namespace

void linear_packed(const LinearCall& c) {
  const Tensor& w = c.weight.w;
  const float* x = all_lines(c.x, Room::First);
  float* y = results(c.y, Room::Second);
  const float* bias = c.bias.data ? all_lines(c.bias, Room::Third) : nullptr;
  const PackedProduct product{w, x, bias, y, lines_of(c.x)};
  const int64_t each = std::max<int64_t>(1, product.rows * product.k * kPanelRows);
  const int64_t grain = std::max<int64_t>(1, kLeastProducts / each);
  if (product.rows <= simd().few_rows) {
    parallel(product.panels(), grain, [&](int64_t begin, int64_t end) { product.few(begin, end); });
  } else {
    const int64_t block = simd().block_rows, padded = (product.rows + block - 1) / block * block;
    float* interleaved = room(Room::Fourth, padded * product.k);
    product.interleave(interleaved);
    parallel(product.panels(), grain,
             [&](int64_t begin, int64_t end) { product.many(begin, end, interleaved); });
  }
  give(c.y, y);
}

}  // namespace irplan::cpu
