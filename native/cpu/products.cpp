// Products with weights as they lie, and of two activations; those with packed weights: packed_products.cpp.
#include <algorithm>

#include "cpu/kernels.h"
#include "cpu/lines.h"
#include "cpu/product.h"
#include "cpu/simd.h"

namespace irplan::cpu {
namespace {

constexpr int64_t kColumns = 256;  // of a part of matmul: its sums stay in the nearest cache

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

}  // namespace

void linear(const LinearCall& c) {
  const Tensor& w = c.weight.w;
  Product product;
  product.w = &w;
  product.k = width_of(w);
  product.n = w.extent(2);
  product.block_rows = c.weight.block_rows;
  product.block_columns = c.weight.block_columns;
  const float* x = activations(c.x, c.whole, Room::First);
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

}  // namespace irplan::cpu
