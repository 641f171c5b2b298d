// Products with a weight on this processor: rows of x by the kernel that reads the weight as it lies, and by
// the one that reads it in panels; a few rows as in decoding, many as for a prompt.
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
  const Timing as_it_lies = measure([&] { cpu::linear(call); });
  call.weight.w = panels.tensor;
  const Timing packed = measure([&] { cpu::linear_packed(call); });
  const auto count = static_cast<double>(rows * width * width);
  std::printf(
      "%-5s %5lld x %-5lld %5lld rows  rows %8.2f ms %7.1f GFLOP/s   panels %8.2f ms %7.1f GFLOP/s %6.1f "
      "GB/s\n",
      name(dtype), static_cast<long long>(width), static_cast<long long>(width), static_cast<long long>(rows),
      as_it_lies.least * 1e3, giga(as_it_lies, count), packed.least * 1e3, giga(packed, count),
      1e-9 * static_cast<double>(width * width / info(dtype).elements * info(dtype).bytes) / packed.least);
}

}  // namespace

int products_bench() {
  lend_machine_threads();
  std::printf("%s; %d threads, %s\n", circumstances().c_str(), thread_count(), cpu::simd().title);
  for (const DType dtype : {DType::F32, DType::BF16, DType::F8E4M3, DType::Q8_0, DType::Q4_0}) {
    for (const int64_t width : {1024, 4096}) {
      for (const int64_t rows : {1, 4, 8, 512}) compare(dtype, width, rows);
    }
  }
  return 0;
}

}  // namespace irplan::bench
