// Launches of the products: linear, matmul, expert.
#include <iterator>
#include <utility>

#include "cuda/kernels/expert.cuh"
#include "cuda/kernels/linear.cuh"

namespace irplan::IRPLAN_GPU {
namespace {

// Below it a weight is read once for every few rows, which costs less.
constexpr int64_t kFewestTiledRows = 16;

unsigned blocks(int64_t items, int64_t each) { return static_cast<unsigned>((items + each - 1) / each); }

bool packs(const ProductCall& c) {
  const Tensor& w = c.weight.w;
  const bool typed = w.dtype == DType::F32 || w.dtype == DType::F16 || w.dtype == DType::BF16;
  return typed && c.x.dtype == w.dtype && !c.weight.scale.data && w.rows_aligned(info(w.dtype).bytes) &&
         c.x.rows_aligned(info(w.dtype).bytes);
}

unsigned in_y(int64_t blocks) { return static_cast<unsigned>(blocks < most_in_y() ? blocks : most_in_y()); }

template <int kRows>
int few(Stream stream, const ProductCall& c) {
  const dim3 grid(blocks(c.n, kWarps), blocks(c.rows, kRows), in_y(c.count));
  auto* kernel = !packs(c)                 ? product_few<kRows>
                 : c.x.dtype == DType::F32 ? product_few_dense<float, kRows>
                 : c.x.dtype == DType::F16 ? product_few_dense<F16, kRows>
                                           : product_few_dense<BF16, kRows>;
  return launch(stream, grid, dim3(32 * kWarps), 0, kernel, c);
}

int product(Stream stream, const ProductCall& c) {
  if (c.rows == 0 || c.n == 0 || c.count == 0) return 0;
  if (c.rows >= kFewestTiledRows) {
    const dim3 grid(blocks(c.rows, kTile), in_y((c.n + kTile - 1) / kTile), in_y(c.count));
    return launch(stream, grid, dim3(256), kTileBytes, product_tiles, c);
  }
  // Three rows of f16 would spill in the registers that a kernel of three has: they take that of four.
  using Few = int (*)(Stream, const ProductCall&);
  static constexpr Few kFew[] = {few<1>, few<2>, few<4>, few<4>, few<5>, few<6>, few<7>, few<8>};
  static_assert(std::size(kFew) == kMostFewRows);
  // More than eight: twice as many as half of them have, rather than eight and what is left.
  const int64_t each = c.rows > kMostFewRows ? (c.rows + 1) / 2 : c.rows;
  return kFew[each - 1](stream, c);
}

}  // namespace

int linear(Stream stream, const LinearCall& call) {
  ProductCall c;
  c.x = call.x;
  c.y = call.y;
  c.bias = call.bias;
  c.weight = call.weight;
  c.n = call.weight.w.extent(2);
  c.k = call.weight.w.extent(1);
  const int64_t groups = call.weight.w.rank == 3 ? call.weight.w.shape[0] : 1;
  int64_t rows = 1;
  for (int i = 0; i + 1 < call.x.rank; ++i) rows *= call.x.shape[i];
  c.rows = groups ? rows / groups : 0;
  c.row_step = groups;
  c.z_step = 1;
  c.count = groups;
  return product(stream, c);
}

int matmul(Stream stream, const MatmulCall& call) {
  ProductCall c;
  c.x = call.a;
  c.y = call.y;
  c.weight.w = call.b;
  const int last = call.b.rank - 1;
  std::swap(c.weight.w.shape[last], c.weight.w.shape[last - 1]);
  std::swap(c.weight.w.stride[last], c.weight.w.stride[last - 1]);
  c.rows = call.a.extent(2);
  c.k = call.a.extent(1);
  c.n = call.b.extent(1);
  c.z_step = c.rows;
  for (int i = 0; i + 2 < call.y.rank; ++i) c.count *= call.y.shape[i];
  return product(stream, c);
}

int expert(Stream stream, const ExpertCall& call) {
  const int64_t choices = call.e.count(), outputs = call.weight.w.shape[1];
  if (choices == 0 || outputs == 0) return 0;
  const int64_t chunks = (outputs + 7) / 8;
  return launch(stream, dim3(static_cast<unsigned>(choices), in_y(chunks)), dim3(256), 0, expert_rows, call);
}

}  // namespace irplan::IRPLAN_GPU
