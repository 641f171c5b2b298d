// Launches of the operators that look at each element by itself.
#include "cuda/kernels/append.cuh"
#include "cuda/kernels/binary.cuh"
#include "cuda/kernels/copy.cuh"
#include "cuda/kernels/dequant.cuh"
#include "cuda/kernels/embed.cuh"
#include "cuda/kernels/gated.cuh"
#include "cuda/kernels/quantise.cuh"
#include "cuda/kernels/rope.cuh"
#include "cuda/kernels/unary.cuh"

namespace irplan::IRPLAN_GPU {
namespace {

constexpr unsigned kThreads = 256;

bool aligned(const Tensor& t) { return reinterpret_cast<uintptr_t>(t.data) % 16 == 0; }
int bytes_of(DType dtype) { return info(dtype).bytes; }
bool has_packs(DType dtype) { return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16; }

// Same dtype, dense, and the first element at 16 bytes.
bool one_run(const Tensor& a, const Tensor& b) {
  return a.dtype == b.dtype && has_packs(a.dtype) && a.dense() && b.dense() && aligned(a) && aligned(b);
}

template <class Call>
int by_type(DType dtype, Stream stream, dim3 grid, void (*f32)(Call, int64_t), void (*f16)(Call, int64_t),
            void (*bf16)(Call, int64_t), const Call& call, int64_t count) {
  auto* kernel = dtype == DType::F32 ? f32 : dtype == DType::F16 ? f16 : bf16;
  return launch(stream, grid, dim3(kThreads), 0, kernel, call, count);
}

int lanes_of(DType dtype) { return 16 / bytes_of(dtype); }

}  // namespace

int probe() {
  return launch(nullptr, dim3(1), dim3(32), 0, copy_bytes, static_cast<const uint8_t*>(nullptr),
                static_cast<uint8_t*>(nullptr), int64_t{0}, false);
}

int unary(Stream stream, const UnaryCall& call) {
  const int64_t n = call.x.count();
  if (n == 0) return 0;
  if (!one_run(call.x, call.y))
    return launch(stream, dim3(blocks_for(n, kThreads)), dim3(kThreads), 0, unary_strided, call, n);
  return by_type<UnaryCall>(call.x.dtype, stream, dim3(blocks_for(n, kThreads * lanes_of(call.x.dtype))),
                            unary_dense<float>, unary_dense<F16>, unary_dense<BF16>, call, n);
}

int binary(Stream stream, const BinaryCall& call) {
  const int64_t n = call.y.count();
  if (n == 0) return 0;
  const bool run = one_run(call.a, call.y) && (!call.b.data || one_run(call.b, call.y));
  if (!run) return launch(stream, dim3(blocks_for(n, kThreads)), dim3(kThreads), 0, binary_strided, call, n);
  return by_type<BinaryCall>(call.a.dtype, stream, dim3(blocks_for(n, kThreads * lanes_of(call.a.dtype))),
                             binary_dense<float>, binary_dense<F16>, binary_dense<BF16>, call, n);
}

int gated(Stream stream, const GatedCall& call) {
  const int64_t n = call.y.count();
  if (n == 0) return 0;
  const DType dtype = call.y.dtype;
  const bool packs = has_packs(dtype) && call.g.dtype == dtype && call.u.dtype == dtype && call.y.rank > 0 &&
                     call.g.rows_aligned(bytes_of(dtype)) && call.u.rows_aligned(bytes_of(dtype)) &&
                     call.y.rows_aligned(bytes_of(dtype));
  if (!packs) return launch(stream, dim3(blocks_for(n, kThreads)), dim3(kThreads), 0, gated_strided, call, n);
  const int64_t count = n / lanes_of(dtype), a_row = call.y.extent(1) / lanes_of(dtype);
  auto* kernel = dtype == DType::F32   ? gated_rows<float>
                 : dtype == DType::F16 ? gated_rows<F16>
                                       : gated_rows<BF16>;
  return launch(stream, dim3(blocks_for(count, kThreads)), dim3(kThreads), 0, kernel, call, count, a_row);
}

int copy(Stream stream, const Tensor& x, const Tensor& y) {
  const int64_t n = y.count();
  if (n == 0) return 0;
  if (x.dtype == y.dtype && x.dense() && y.dense()) {
    const int64_t bytes = n * bytes_of(x.dtype);
    return launch(stream, dim3(blocks_for(bytes / 16 + 1, kThreads)), dim3(kThreads), 0, copy_bytes,
                  reinterpret_cast<const uint8_t*>(x.data), reinterpret_cast<uint8_t*>(y.data), bytes,
                  aligned(x) && aligned(y));
  }
  return launch(stream, dim3(blocks_for(n, kThreads)), dim3(kThreads), 0, copy_strided, x, y, n);
}

int quantise(Stream stream, const Tensor& x, const Tensor& y) {
  const int64_t blocks = y.count() / info(y.dtype).elements;
  if (blocks == 0) return 0;
  return launch(stream, dim3(blocks_for(blocks, 128)), dim3(128), 0, quantise_strided, x, y, blocks);
}

int dequant(Stream stream, const ScaledWeight& w, const Tensor& y) {
  const int64_t n = y.count();
  if (n == 0) return 0;
  return launch(stream, dim3(blocks_for(n, kThreads)), dim3(kThreads), 0, dequant_strided, w, y, n);
}

int embed(Stream stream, const EmbedCall& call) {
  const int64_t n = call.ids.count();
  if (n == 0) return 0;
  const unsigned threads = call.w.shape[1] >= 256 ? 256 : 64;
  return launch(stream, dim3(blocks_for(n, 1)), dim3(threads), 0, embed_rows, call, n);
}

int positions(Stream stream, const Tensor& y, const int32_t* at) {
  const int64_t n = y.count();
  if (n == 0) return 0;
  return launch(stream, dim3(blocks_for(n, kThreads)), dim3(kThreads), 0, positions_kernel, y, at, n);
}

int append(Stream stream, const AppendCall& call) {
  int64_t row = 1;
  for (int i = 2; i < call.x.rank; ++i) row *= call.x.shape[i];
  const int64_t units = row / info(call.state.dtype).elements,
                count = call.x.shape[0] * call.x.shape[1] * units;
  if (count == 0) return 0;
  return launch(stream, dim3(blocks_for(count, kThreads)), dim3(kThreads), 0, append_rows, call, units,
                count);
}

int rope(Stream stream, const RopeCall& call) {
  const int64_t n = call.x.count();
  if (n == 0) return 0;
  const int64_t tokens = call.x.shape[0] * call.x.shape[1], heads = n / tokens / call.x.extent(1);
  const unsigned threads = heads * call.half >= 256 ? 256 : 64;
  return launch(stream, dim3(blocks_for(tokens, 1)), dim3(threads), 0, rope_rows, call, tokens, heads);
}

}  // namespace irplan::IRPLAN_GPU
