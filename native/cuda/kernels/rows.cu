// Launches of the operators that look along one axis.
#include <utility>

#include "cuda/kernels/norm.cuh"
#include "cuda/kernels/reduce.cuh"
#include "cuda/kernels/route.cuh"
#include "cuda/kernels/softmax.cuh"

namespace irplan::IRPLAN_GPU {
namespace {

constexpr size_t kScratch = 32 * sizeof(Found);  // a place for each warp of a block

bool norm_fits(const NormCall& c, int64_t threads) {
  const DType dtype = c.x.dtype;
  if (dtype != DType::F32 && dtype != DType::F16 && dtype != DType::BF16) return false;
  const int bytes = info(dtype).bytes;
  for (const Tensor* t : {&c.x, &c.w, &c.b, &c.y, &c.addend, &c.sum}) {
    if (t->data && (t->dtype != dtype || !t->rows_aligned(bytes))) return false;
  }
  return c.x.extent(1) <= threads * kNormPacks * (16 / bytes);
}

// The axis as the last one.
Tensor turned(Tensor t, int axis) {
  for (int i = axis; i + 1 < t.rank; ++i) {
    std::swap(t.shape[i], t.shape[i + 1]);
    std::swap(t.stride[i], t.stride[i + 1]);
  }
  return t;
}

unsigned threads_for(int64_t width) { return width > 512 ? 256 : width > 64 ? 64 : 32; }

}  // namespace

int norm(Stream stream, const NormCall& call) {
  const int64_t width = call.x.extent(1);
  const int64_t rows = width ? call.x.count() / width : 0;
  if (rows == 0) return 0;
  const int lanes = 16 / info(call.x.dtype).bytes;
  // Two packs a thread, in whole warps.
  const int64_t wanted = (width / lanes / 2 + 31) / 32 * 32;
  const auto threads = static_cast<unsigned>(wanted < 32 ? 32 : wanted > 1024 ? 1024 : wanted);
  if (!norm_fits(call, threads))
    return launch(stream, dim3(static_cast<unsigned>(rows)), dim3(threads_for(width)), kScratch, norm_strided,
                  call, width);
  auto* kernel = call.x.dtype == DType::F32   ? norm_dense<float>
                 : call.x.dtype == DType::F16 ? norm_dense<F16>
                                              : norm_dense<BF16>;
  return launch(stream, dim3(static_cast<unsigned>(rows)), dim3(threads), kScratch, kernel, call, width);
}

int softmax(Stream stream, const Tensor& x, const Tensor& y, int axis) {
  const int64_t width = x.shape[axis];
  if (x.count() == 0) return 0;
  return launch(stream, dim3(static_cast<unsigned>(x.count() / width)), dim3(threads_for(width)), kScratch,
                softmax_lines, turned(x, axis), turned(y, axis));
}

int reduce(Stream stream, const ReduceCall& call) {
  const int64_t lines = call.y.count(), width = call.x.shape[call.axis];
  if (lines == 0) return 0;
  const dim3 grid(static_cast<unsigned>(lines)), block(threads_for(width));
  const Tensor from = turned(call.x, call.axis), to = turned(call.y, call.axis);
  const bool place = call.what == Reduce::Argmax;
  if (call.what == Reduce::Sum) return launch(stream, grid, block, kScratch, sum_lines, from, to);
  auto* parts = reinterpret_cast<Found*>(call.parts.data);
  if (!parts) return launch(stream, grid, block, kScratch, best_lines, from, to, place);
  const int error = launch(stream, dim3(static_cast<unsigned>(lines), kLineParts), block, kScratch,
                           best_parts, from, parts);
  if (error) return error;
  return launch(stream, grid, dim3(kLineParts), kScratch, best_join, from, to,
                static_cast<const Found*>(parts), place);
}

int topk(Stream stream, const Tensor& x, const Tensor& values, const Tensor& ids) {
  const int64_t width = x.extent(1);
  if (x.count() == 0) return 0;
  return launch(stream, dim3(static_cast<unsigned>(x.count() / width)), dim3(threads_for(width)), kScratch,
                topk_lines, x, values, ids);
}

int route(Stream stream, const RouteCall& call) {
  const int64_t experts = call.logits.extent(1);
  if (call.logits.count() == 0) return 0;
  const auto floats = static_cast<size_t>(2 * experts + call.weights.extent(1) + call.groups);
  return launch(stream, dim3(static_cast<unsigned>(call.logits.count() / experts)), dim3(32),
                floats * sizeof(float), route_rows, call);
}

}  // namespace irplan::IRPLAN_GPU
