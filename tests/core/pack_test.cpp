// The packer: exact on instances small enough to try every sequence, valid on random ones, and its CSV form.
#include "irplan/pack.h"

#include <algorithm>
#include <numeric>

#include "catch.h"

using irplan::PackBuffer;

namespace {

// The least height over all sequences, each buffer dropped on what it meets: some such sequence is a best
// placement.
int64_t brute_force(const std::vector<PackBuffer>& buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  int64_t least = INT64_MAX;
  do {
    std::vector<int64_t> end(buffers.size(), 0);
    int64_t height = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      int64_t at = 0;
      for (size_t j = 0; j < i; ++j) {
        const PackBuffer &a = buffers[order[i]], &b = buffers[order[j]];
        if (a.lower < b.upper && b.lower < a.upper) at = std::max(at, end[order[j]]);
      }
      end[order[i]] = at + buffers[order[i]].size;
      height = std::max(height, end[order[i]]);
    }
    least = std::min(least, height);
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

bool valid(const std::vector<PackBuffer>& buffers, const irplan::PackResult& result) {
  int64_t height = 0;
  for (size_t i = 0; i < buffers.size(); ++i) {
    height = std::max(height, result.offsets[i] + buffers[i].size);
    for (size_t j = 0; j < i; ++j) {
      const PackBuffer &a = buffers[i], &b = buffers[j];
      const bool together = a.lower < b.upper && b.lower < a.upper;
      if (together && result.offsets[i] < result.offsets[j] + b.size &&
          result.offsets[j] < result.offsets[i] + a.size)
        return false;
    }
  }
  return height == result.height;
}

}  // namespace

TEST_CASE("the search is exact on small instances") {
  uint32_t seed = 1;
  const auto draw = [&](uint32_t n) {
    return static_cast<int64_t>((seed = seed * 1664525 + 1013904223) >> 8) % n;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<PackBuffer> buffers(static_cast<size_t>(2 + draw(6)));
    for (PackBuffer& b : buffers) b.lower = draw(7), b.upper = b.lower + 1 + draw(5), b.size = 1 + draw(9);
    const irplan::PackResult result = irplan::pack(buffers);
    CAPTURE(round);
    REQUIRE(valid(buffers, result));
    REQUIRE(result.proven);
    REQUIRE(result.height == brute_force(buffers));
  }
}

TEST_CASE("a capacity below the bound names what exceeds it") {
  irplan::PackOptions options;
  options.capacity = 10;
  const std::vector<PackBuffer> buffers{{0, 4, 3}, {1, 3, 6}, {2, 5, 7}};
  const irplan::PackResult result = irplan::pack(buffers, options);
  CHECK(result.bound == 16);
  CHECK(result.impossible);
  CHECK(irplan::find_conflict(buffers, 10, result).buffers == std::vector<uint32_t>{2, 1});
}

TEST_CASE("the packer's CSV goes in and out") {
  std::string why;
  const auto table = irplan::read_pack_csv("id,lower,upper,size\na,0,2,4\nb,1,3,5\n", &why);
  REQUIRE(table);
  const irplan::PackResult result = irplan::pack(table->buffers);
  CHECK(result.height == 9);
  CHECK(irplan::write_pack_csv(*table, result).substr(0, 27) == "id,lower,upper,size,offset\n");
  CHECK_FALSE(irplan::read_pack_csv("id,lower,upper,size\na,0,2,x\n", &why));
  CHECK(why == "line 2: `x` is no size");
}
