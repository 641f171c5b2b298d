// Launches of the products: linear, matmul, expert.
#include <utility>

#include "cuda/kernels/expert.cuh"
#include "cuda/kernels/linear.cuh"

namespace irplan::IRPLAN_GPU {
namespace {

constexpr int64_t kFewestTiledRows =
    16;  // below it a weight is read once for every kFewRows rows, which costs less

unsigned blocks(int64_t items, int64_t each) { return static_cast<unsigned>((items + each - 1) / each); }

bool packs(const ProductCall& c) {
  const Tensor& w = c.weight.w;
  const bool typed = w.dtype == DType::F32 || w.dtype == DType::F16 || w.dtype == DType::BF16;
  return typed && c.x.dtype == w.dtype && !c.weight.scale.data && w.rows_aligned(info(w.dtype).bytes) &&
         c.x.rows_aligned(info(w.dtype).bytes);
}

int product(Stream stream, const ProductCall& c, int64_t count) {
  if (c.rows == 0 || c.n == 0 || count == 0) return 0;
  const auto z = static_cast<unsigned>(count);
  if (c.rows >= kFewestTiledRows)
    return launch(stream, dim3(blocks(c.n, kTile), blocks(c.rows, kTile), z), dim3(256), kTileBytes,
                  product_tiles, c);
  const dim3 grid(blocks(c.n, kWarps), blocks(c.rows, kFewRows), z);
  if (!packs(c)) return launch(stream, grid, dim3(256), 0, product_few, c);
  auto* kernel = c.x.dtype == DType::F32   ? product_few_dense<float>
                 : c.x.dtype == DType::F16 ? product_few_dense<F16>
                                           : product_few_dense<BF16>;
  return launch(stream, grid, dim3(256), 0, kernel, c);
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
  return product(stream, c, groups);
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
  int64_t batches = 1;
  for (int i = 0; i + 2 < call.y.rank; ++i) batches *= call.y.shape[i];
  return product(stream, c, batches);
}

int expert(Stream stream, const ExpertCall& call) {
  const int64_t choices = call.e.count(), outputs = call.weight.w.shape[1];
  if (choices == 0 || outputs == 0) return 0;
  const int64_t chunks = (outputs + 7) / 8;
  return launch(stream,
                dim3(static_cast<unsigned>(choices), static_cast<unsigned>(chunks < 65535 ? chunks : 65535)),
                dim3(256), 0, expert_rows, call);
}

}  // namespace irplan::IRPLAN_GPU
