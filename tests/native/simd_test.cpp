// Each set of vector loops that this machine has: whole numbers, whose sums are exact in any order, at
// lengths around every width.
#include "cpu/simd.h"

#include <cmath>
#include <cstring>
#include <limits>
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

  for (int count = 1; count <= kTile; ++count) {
    float tile[kTile * kTile];
    simd.tile(x, count, w, n, tile, kTile);
    for (int r = 0; r < count; ++r) {
      for (int c = 0; c < kTile; ++c) {
        if (tile[r * kTile + c] != product(rows[0][r], rows[1][c])) return "tile";
      }
    }
  }

  std::vector<float> y = some(n, 20), expected = y;
  for (size_t i = 0; i < y.size(); ++i) expected[i] += 3 * rows[0][1][i];
  simd.axpy(y.data(), 3, x[1], n);
  if (y != expected) return "axpy";

  std::vector<float> scores = some(n, 40), scaled = scores;
  if (n > 2) scores[1] = scaled[1] = std::numeric_limits<float>::quiet_NaN();  // is larger than nothing
  float largest = -4;
  for (float& z : scaled) largest = std::max(largest, z *= 0.5f);
  if (simd.scale_scores(scores.data(), n, 0.5f, -4) != largest) return "scale_scores: the largest";
  if (std::memcmp(scores.data(), scaled.data(), scores.size() * sizeof(float)) != 0) return "scale_scores";

  constexpr int kRows = 7;
  std::vector<float> sums = some(kRows * n, 30), factors = some(kRows * kTile, 31), want = sums;
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < kTile; ++j) {
      for (int64_t i = 0; i < n; ++i)
        want[static_cast<size_t>(r * n + i)] += factors[static_cast<size_t>(r * kTile + j)] * x[j][i];
    }
  }
  simd.weigh(factors.data(), kTile, kRows, x, kTile, n, sums.data(), n);
  return sums == want ? "" : "weigh";
}

// Every stored number of a dtype, NaN and infinities included, as f32 and, where there is a way, back.
std::string line_fault(const Simd& simd, DType dtype, int64_t n) {
  const DTypeInfo& type = info(dtype);
  std::vector<std::byte> stored(static_cast<size_t>(n / type.elements * type.bytes)), back(stored.size());
  for (size_t i = 0; i < stored.size(); ++i) stored[i] = static_cast<std::byte>(i * 167 + i / 256 * 31 + 5);
  std::vector<float> numbers(static_cast<size_t>(n));
  simd.widen(dtype, stored.data(), n, numbers.data());
  for (int64_t i = 0; i < n; ++i) {
    const float got = numbers[static_cast<size_t>(i)], want = load_float(dtype, stored.data(), i);
    if (got != want && !(std::isnan(got) && std::isnan(want)))
      return "number " + std::to_string(i) + " is " + std::to_string(want) + ", not " + std::to_string(got);
  }
  if (dtype != DType::F16 && dtype != DType::BF16) return "";
  // Numbers between those of the dtype, too.
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] *= i % 3 ? 1.0f : 1.0017f;
  simd.narrow(dtype, numbers.data(), n, back.data());
  for (int64_t i = 0; i < n; ++i) {
    std::byte want[2];
    store_float(dtype, want, 0, numbers[static_cast<size_t>(i)]);
    if (std::isnan(numbers[static_cast<size_t>(i)])) continue;
    if (std::memcmp(want, back.data() + 2 * i, 2) != 0) return "back: number " + std::to_string(i);
  }
  return "";
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

TEST_CASE("every set of vector loops reads and writes lines of every dtype as the reference does") {
  for (const Simd* simd : all_simd()) {
    for (const DType dtype : {DType::F32, DType::F16, DType::BF16, DType::F8E4M3, DType::F8E5M2, DType::Q8_0,
                              DType::Q4_0, DType::I4G128, DType::MXFP4}) {
      for (const int64_t n : {1, 5, 8, 17, 31, 512, 70000}) {
        if (is_block(dtype) && n < 128) continue;
        INFO(simd->name << ", " << name(dtype) << ", " << n);
        CHECK(line_fault(*simd, dtype, is_block(dtype) ? n / 128 * 128 : n) == "");
      }
    }
  }
}

TEST_CASE("every set of vector loops has the exponential to an ulp or two, and its ends") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const Simd* simd : all_simd()) {
    INFO(simd->name);
    std::vector<float> x{-infinity, -200, -103.9f, -87.5f, -1e-8f, 0, 1, 88.5f, 200}, y;
    for (int i = 0; i < 4000; ++i) x.push_back(static_cast<float>(i) * 0.0443f - 88);
    y = x;
    const float sum = simd->exponentials(y.data(), static_cast<int64_t>(y.size()), 0);
    CHECK(sum == infinity);
    for (size_t i = 0; i < x.size(); ++i) {
      INFO(x[i]);
      const double want = std::exp(static_cast<double>(x[i]));
      if (want > 1e38) continue;
      CHECK(std::fabs(y[i] - want) <= 2.5e-7 * want + 1.5e-45);
    }
    CHECK(y[0] == 0);
    CHECK(y[8] == infinity);
    float nan = std::numeric_limits<float>::quiet_NaN();
    simd->exponentials(&nan, 1, 0);
    CHECK(std::isnan(nan));
  }
}

TEST_CASE("sets of vector loops that this machine or build lacks are told, and not tested") {
  const char* before = simd().name;
  for (const char* name : {"portable", "avx2", "avx512", "avx512vnni", "neon"}) {
    if (const Failure lacking = choose_isa(name)) WARN("skipped: " << *lacking);
  }
  CHECK_FALSE(choose_isa(before));
}

TEST_CASE("a set of vector loops is chosen by name, and an unknown one refused by it") {
  const char* before = simd().name;
  for (const Simd* simd : all_simd()) {
    CHECK_FALSE(choose_isa(simd->name));
    CHECK(&irplan::cpu::simd() == simd);
  }
  const Failure unknown = choose_isa("avx3");
  REQUIRE(unknown);
  CHECK(unknown->find("`avx3`") != std::string::npos);
  CHECK(unknown->find("portable") != std::string::npos);
  CHECK_FALSE(choose_isa(before));
}

TEST_CASE("every set of vector loops gives the same whole numbers at every length") {
  const auto all = all_simd();
  REQUIRE(!all.empty());
  CHECK(all.back() == &simd());
  for (const Simd* simd : all) {
    for (int64_t n = 0; n <= 200; ++n) {
      INFO(simd->name << ", " << n << " numbers");
      CHECK(fault(*simd, n) == "");
    }
  }
}
