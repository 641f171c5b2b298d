// Products with a weight on this processor: rows of x by the kernel that reads the weight as it lies, and by
// the one that reads it in panels; a few rows as in decoding, many as for a prompt.
#ifdef IRPLAN_ONEDNN
#include <dnnl.h>
#endif

#include <cstdio>
#include <vector>

#include "bench/bench.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"
#include "ops/float_formats.h"
#include "runtime/parallel.h"
#include "runtime/threads.h"

namespace irplan::bench {
namespace {

struct Matrix {
  std::vector<std::byte> bytes;
  Tensor tensor;

  Matrix(DType dtype, int64_t rows, int64_t columns) : bytes(static_cast<size_t>(rows * columns * 4)) {
    tensor.data = bytes.data();
    tensor.dtype = dtype;
    tensor.rank = 2;
    tensor.shape[0] = rows, tensor.shape[1] = columns;
    tensor.stride[0] = columns, tensor.stride[1] = 1;
    std::vector<float> numbers;
    for (int64_t i = 0; i < rows * columns; ++i)
      numbers.push_back(static_cast<float>((i * 7 + 3) % 19 - 9) / 16);
    if (is_block(dtype)) {
      quantise(dtype, numbers.data(), rows * columns, bytes.data());
      return;
    }
    for (int64_t i = 0; i < rows * columns; ++i)
      store_float(dtype, bytes.data(), i, numbers[static_cast<size_t>(i)]);
  }
};

double giga(const Timing& timing, double multiplications) { return 2e-9 * multiplications / timing.least; }

// y = x w^T in f32 by oneDNN; false where this build has none. Its bf16 needs AVX-512.
bool by_onednn([[maybe_unused]] const Matrix& x, [[maybe_unused]] const Matrix& w,
               [[maybe_unused]] const Matrix& y) {
#ifdef IRPLAN_ONEDNN
  const auto of = [](const Matrix& m) { return reinterpret_cast<float*>(m.tensor.data); };
  const int64_t rows = x.tensor.shape[0], n = w.tensor.shape[0], k = w.tensor.shape[1];
  return dnnl_sgemm('N', 'T', rows, n, k, 1, of(x), k, of(w), k, 0, of(y), n) == dnnl_success;
#else
  return false;
#endif
}

void compare(DType dtype, int64_t width, int64_t rows) {
  const Matrix x(DType::F32, rows, width), w(dtype, width, width), panels(dtype, width, width);
  const Matrix y(DType::F32, rows, width);
  PackCall pack{};
  pack.x = w.tensor;
  pack.y = panels.tensor;
  cpu::pack(pack);
  LinearCall call{};
  call.x = x.tensor;
  call.y = y.tensor;
  call.weight.w = w.tensor;
  const auto count = static_cast<double>(rows * width * width);
  const auto bytes = static_cast<double>(width * width / info(dtype).elements * info(dtype).bytes);
  std::printf("%-6s %5lld x %-5lld %4lld rows", name(dtype), static_cast<long long>(width),
              static_cast<long long>(width), static_cast<long long>(rows));
  const auto print = [&](const char* by, const Timing& timing) {
    std::printf("   %s %7.3f ms %6.1f GFLOP/s %5.1f GB/s", by, timing.least * 1e3, giga(timing, count),
                1e-9 * bytes / timing.least);
  };
  print("rows", measure([&] { cpu::linear(call); }));
  call.weight.w = panels.tensor;
  print("panels", measure([&] { cpu::linear_packed(call); }));
  if (is_block(dtype)) print("whole numbers", measure([&] { cpu::linear_whole(call); }));
  if (dtype == DType::F32 && by_onednn(x, w, y)) print("oneDNN", measure([&] { by_onednn(x, w, y); }));
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int products_bench() {
  lend_machine_threads();
  std::printf("%s; %d threads, %s\n", circumstances().c_str(), thread_count(), cpu::simd().title);
#ifndef IRPLAN_ONEDNN
  std::printf("oneDNN: skipped, this build found none (Debian: libdnnl-dev)\n");
#endif
  for (const DType dtype : {DType::F32, DType::BF16, DType::F8E4M3, DType::Q8_0, DType::Q4_0}) {
    for (const int64_t rows : {1, 4, 8, 512}) compare(dtype, 2048, rows);
  }
  return 0;
}

}  // namespace irplan::bench
