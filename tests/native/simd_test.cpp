// Each set of vector loops that this machine has: whole numbers, whose sums are exact in any order, at
// lengths around every width.
#include "cpu/simd.h"

#include <numeric>
#include <string>
#include <vector>

#include "catch.h"

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

}  // namespace

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
