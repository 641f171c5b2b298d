// Each set of vector loops that this machine has: whole numbers, whose sums are exact in any order, at
// lengths around every width.
#include "cpu/simd.h"

#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "catch.h"
#include "cpu/kernels.h"
#include "reference/executor.h"

using namespace irplan;
using namespace irplan::cpu;

namespace {

std::vector<float> some(int64_t n, int64_t seed) {
  std::vector<float> out(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    out[static_cast<size_t>(i)] = static_cast<float>((i * 7 + seed * 5) % 19 - 9);
  return out;
}

float product(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

// The name of what is wrong; empty where nothing is.
std::string fault(const Simd& simd, int64_t n) {
  std::vector<float> rows[2][kTile];
  const float *x[kTile], *w[kTile];
  for (int r = 0; r < kTile; ++r) {
    rows[0][r] = some(n, r), rows[1][r] = some(n, 10 + r);
    x[r] = rows[0][r].data(), w[r] = rows[1][r].data();
  }
  if (simd.dot(x[0], w[0], n) != product(rows[0][0], rows[1][0])) return "dot";

  float tile[kTile * kTile];
  simd.tile(x, w, n, tile);
  for (int r = 0; r < kTile; ++r) {
    for (int c = 0; c < kTile; ++c) {
      if (tile[r * kTile + c] != product(rows[0][r], rows[1][c])) return "tile";
    }
  }

  std::vector<float> y = some(n, 20), expected = y;
  for (size_t i = 0; i < y.size(); ++i) expected[i] += 3 * rows[0][1][i];
  simd.axpy(y.data(), 3, x[1], n);
  return y == expected ? "" : "axpy";
}

// Numbers whose sums depend on the order in which they are added.
std::vector<float> uneven(int64_t n, int64_t seed) {
  std::vector<float> out(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    out[static_cast<size_t>(i)] =
        std::sin(static_cast<float>(i * 13 + seed * 7)) * std::exp2(static_cast<float>(i % 11));
  return out;
}

// A product of a weight in panels, of all rows at once.
std::vector<float> packed_product(const std::vector<float>& x, int64_t rows, int64_t k,
                                  std::vector<std::byte>& w, DType dtype, int64_t n) {
  std::vector<float> y(static_cast<size_t>(rows * n));
  const auto tensor = [](auto* data, DType type, int64_t a, int64_t b) {
    Tensor t;
    t.data = reinterpret_cast<std::byte*>(data);
    t.dtype = type;
    t.rank = 2;
    t.shape[0] = a, t.shape[1] = b, t.stride[0] = b, t.stride[1] = 1;
    return t;
  };
  LinearCall call{};
  call.x = tensor(const_cast<float*>(x.data()), DType::F32, rows, k);
  call.weight.w = tensor(w.data(), dtype, n, k);
  call.y = tensor(y.data(), DType::F32, rows, n);
  linear_packed(call);
  return y;
}

}  // namespace

TEST_CASE("a row's product with packed weights has the same bits whatever rows are multiplied with it") {
  constexpr int64_t kMostRows = 40, kOutputs = 37;
  for (const DType dtype : {DType::F32, DType::F16, DType::BF16}) {
    for (const int64_t k : {1, 3, 255, 256, 259, 700}) {
      const std::vector<float> x = uneven(kMostRows * k, 1),
                               numbers = uneven((kOutputs + 15) / 16 * 16 * k, 2);
      std::vector<std::byte> w(numbers.size() * 4);
      for (size_t i = 0; i < numbers.size(); ++i)
        store_float(dtype, w.data(), static_cast<int64_t>(i), numbers[i]);
      for (const int64_t rows : {2, 3, 5, 6, 7, 13, 40}) {
        INFO(name(dtype) << ", " << k << " columns, " << rows << " rows");
        const auto all = packed_product(x, rows, k, w, dtype, kOutputs);
        for (int64_t row = 0; row < rows; ++row) {
          const std::vector<float> own(x.begin() + row * k, x.begin() + (row + 1) * k);
          const auto alone = packed_product(own, 1, k, w, dtype, kOutputs);
          CHECK(std::memcmp(alone.data(), all.data() + row * kOutputs, alone.size() * sizeof(float)) == 0);
        }
      }
    }
  }
}

TEST_CASE(
    "every set of vector loops adds up a packed product in one order, by a few rows or by blocks of them") {
  int count = 0;
  const Simd* const* all = all_simd(&count);
  for (int s = 0; s < count; ++s) {
    const Simd& simd = *all[s];
    const int64_t n = 259, split = 128;
    const std::vector<float> w = uneven(n * 16, 3);
    std::vector<float> x = uneven(n * simd.block_rows, 4),
                       sums(static_cast<size_t>(kPartial * simd.block_rows * 16));
    const auto* bytes = reinterpret_cast<const std::byte*>(w.data());
    simd.block(x.data(), simd.block_rows, w.data(), split, sums.data());
    simd.block(x.data() + split * simd.block_rows, simd.block_rows, w.data() + split * 16, n - split,
               sums.data());
    for (int r = 0; r < simd.block_rows; ++r) {
      std::vector<float> row;
      for (int64_t i = 0; i < n; ++i) row.push_back(x[static_cast<size_t>(i * simd.block_rows + r)]);
      const float* line = row.data();
      float want[16];
      simd.panel(&line, 1, DType::F32, bytes, n, want);
      for (int c = 0; c < 16; ++c) {
        const auto part = [&](int p) {
          return sums[static_cast<size_t>((p * simd.block_rows + r) * 16 + c)];
        };
        INFO(simd.name << ", row " << r << ", output " << c);
        CHECK((part(0) + part(1)) + (part(2) + part(3)) == want[c]);
      }
    }
  }
}

TEST_CASE("every set of vector loops gives the same whole numbers at every length") {
  int count = 0;
  const Simd* const* all = all_simd(&count);
  REQUIRE(count >= 1);
  CHECK(all[count - 1] == &simd());
  for (int i = 0; i < count; ++i) {
    for (int64_t n = 0; n <= 200; ++n) {
      INFO(all[i]->name << ", " << n << " numbers");
      CHECK(fault(*all[i], n) == "");
    }
  }
}
