// The packer: exact on instances small enough to try every sequence, valid on random ones, and its CSV form.
#include "irplan/pack.h"

#include <pthread.h>

#include <algorithm>

#include "catch.h"
#include "passes/memory/pack_parts.h"

using irplan::PackBuffer;

namespace {

// The least height over all sequences, each buffer dropped on what it meets: some such sequence is a best
// placement. Sequences that are no better than the best so far are cut short.
class BruteForce {
 public:
  explicit BruteForce(const std::vector<PackBuffer>& buffers) : buffers_(buffers), end_(buffers.size(), -1) {
    extend(0, 0);
  }
  int64_t least() const { return least_; }

 private:
  void extend(size_t placed, int64_t height) {
    if (height >= least_) return;
    if (placed == buffers_.size()) least_ = height;
    for (size_t i = 0; i < buffers_.size(); ++i) {
      if (end_[i] >= 0) continue;
      int64_t at = 0;
      for (size_t j = 0; j < buffers_.size(); ++j) {
        const PackBuffer &a = buffers_[i], &b = buffers_[j];
        if (a.lower < b.upper && b.lower < a.upper) at = std::max(at, end_[j]);
      }
      end_[i] = at + buffers_[i].size;
      extend(placed + 1, std::max(height, end_[i]));
      end_[i] = -1;
    }
  }

  const std::vector<PackBuffer>& buffers_;
  std::vector<int64_t> end_;  // -1: not placed
  int64_t least_ = INT64_MAX;
};

int64_t brute_force(const std::vector<PackBuffer>& buffers) { return BruteForce(buffers).least(); }

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

// What must hold of every packing, whatever its strength; the brute force is the judge.
void check_against_brute_force(const std::vector<PackBuffer>& buffers) {
  const int64_t least = brute_force(buffers);
  int64_t height = INT64_MAX;
  for (const irplan::Strength strength :
       {irplan::Strength::Portfolio, irplan::Strength::Limited, irplan::Strength::Exact}) {
    irplan::PackOptions options;
    options.strength = strength;
    const irplan::PackResult result = irplan::pack(buffers, options);
    if (!valid(buffers, result) || result.height > height || result.height < least ||
        (result.proven && result.height != least)) {
      std::string text;
      for (const PackBuffer& b : buffers)
        text += std::to_string(b.lower) + " " + std::to_string(b.upper) + " " + std::to_string(b.size) + ", ";
      FAIL(text << "height " << result.height << ", least " << least);
    }
    height = result.height;
    if (strength == irplan::Strength::Exact && (!result.proven || height != least))
      FAIL("exact: height " << height << ", least " << least);
  }
}

// Every multiset of `n` buffers on so many steps. Who is alive with whom is all that matters of lifetimes: n
// steps show every such structure of n buffers.
template <class Visit>
void all_instances(size_t n, int64_t steps, const std::vector<int64_t>& sizes, Visit visit) {
  std::vector<PackBuffer> kinds, chosen;
  for (int64_t lower = 0; lower < steps; ++lower) {
    for (int64_t upper = lower + 1; upper <= steps; ++upper) {
      for (const int64_t size : sizes) kinds.push_back({lower, upper, size});
    }
  }
  const auto extend = [&](const auto& self, size_t from) -> void {
    if (chosen.size() == n) return visit(chosen);
    for (size_t k = from; k < kinds.size(); ++k) {
      chosen.push_back(kinds[k]);
      self(self, k);
      chosen.pop_back();
    }
  };
  extend(extend, 0);
}

// Where a buffer fits lowest, or in the smallest gap: every offset looked at.
int64_t fit_by_trying(const std::vector<irplan::packing::Item>& items, const std::vector<int64_t>& offsets,
                      uint32_t i, bool tight) {
  std::vector<std::pair<int64_t, int64_t>> taken{{0, 0}};  // begin, end
  for (uint32_t j = 0; j < items.size(); ++j) {
    if (offsets[j] >= 0 && items[j].first < items[i].last && items[i].first < items[j].last)
      taken.emplace_back(offsets[j], offsets[j] + items[j].size);
  }
  std::sort(taken.begin(), taken.end());
  taken.emplace_back(INT64_MAX, INT64_MAX);
  int64_t end = 0, best = -1, least = INT64_MAX;
  for (const auto& [from, to] : taken) {
    const int64_t gap = from - end;
    if (gap >= items[i].size && (best < 0 || (tight && gap < least))) best = end, least = gap;
    end = std::max(end, to);
  }
  return best;
}

// Lives of all lengths, the short ones most often.
std::vector<PackBuffer> draw_many(size_t n, uint32_t seed) {
  const auto draw = [&](uint32_t most) {
    return static_cast<int64_t>((seed = seed * 1664525 + 1013904223) >> 8) % most;
  };
  std::vector<PackBuffer> buffers(n);
  for (PackBuffer& b : buffers) {
    b.lower = draw(static_cast<uint32_t>(n));
    b.upper = b.lower + 1 + draw(uint32_t{1} << (2 + draw(8)));
    b.size = 1 + draw(4096);
  }
  return buffers;
}

// As many buffers alive together as one try of the search has nodes for.
struct DeepSearch {
  irplan::packing::Verdict verdict = irplan::packing::Verdict::Unknown;
  int64_t nodes = 0;

  static void* run(void* self) {
    constexpr int64_t kMany = 1900;
    auto& result = *static_cast<DeepSearch*>(self);
    std::vector<irplan::packing::Item> items;
    for (int64_t i = 0; i < kMany; ++i) items.push_back({0, 1, 1 + i % 2});
    irplan::packing::Offsets offsets;
    result.verdict = irplan::packing::search(items, 1, kMany * 3 / 2, kMany, {}, result.nodes, offsets);
    return nullptr;
  }
};

}  // namespace

TEST_CASE("the search is as deep as there are buffers, on a stack of 128 KiB") {
  DeepSearch search;
  pthread_attr_t attributes;
  pthread_t thread;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, 128 << 10) == 0);
  REQUIRE(pthread_create(&thread, &attributes, DeepSearch::run, &search) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  REQUIRE(pthread_attr_destroy(&attributes) == 0);
  CHECK(search.verdict == irplan::packing::Verdict::Found);
  CHECK(search.nodes == 1900);
}

TEST_CASE("many buffers are placed where the fit looked for one by one places them") {
  std::vector<irplan::packing::Item> items;
  for (const PackBuffer& b : draw_many(1500, 3))
    items.push_back({static_cast<int32_t>(b.lower), static_cast<int32_t>(b.upper), b.size});
  const std::vector<uint32_t> order = irplan::packing::sequence(items, irplan::packing::Rule::Size);
  for (const bool tight : {false, true}) {
    std::vector<int64_t> offsets(items.size(), -1);
    for (const uint32_t i : order) offsets[i] = fit_by_trying(items, offsets, i, tight);
    CHECK(irplan::packing::place(items, order, tight) == offsets);
    CHECK(irplan::packing::place(items, order, tight, irplan::packing::height_of(items, offsets)).empty());
  }
}

TEST_CASE("6000 connected buffers: exchanges lower what the portfolio finds, the same in every run") {
  const std::vector<PackBuffer> buffers = draw_many(6000, 11);
  irplan::PackOptions options;
  options.strength = irplan::Strength::Portfolio;
  const irplan::PackResult fast = irplan::pack(buffers, options);
  CHECK(valid(buffers, fast));
  options.strength = irplan::Strength::Limited;
  const irplan::PackResult result = irplan::pack(buffers, options);
  CHECK(valid(buffers, result));
  CHECK(result.height < fast.height);
  CHECK(static_cast<double>(result.height) < 1.02 * static_cast<double>(result.bound));
  CHECK(result.strength == irplan::Strength::Limited);
  CHECK(irplan::pack(buffers, options).offsets == result.offsets);
  options.strength = irplan::Strength::Exact;  // takes no more than the limit
  CHECK(irplan::pack(buffers, options).height == result.height);
  options.progress = [](const irplan::PackProgress& at) { return at.nodes < 500; };
  const irplan::PackResult stopped = irplan::pack(buffers, options);
  CHECK(stopped.stopped);
  CHECK(valid(buffers, stopped));
}

TEST_CASE(
    "exact equals brute force: every instance of up to 4 buffers of sizes 1 to 3, and of 5 on 4 steps of "
    "sizes 2 and 3") {
  size_t count = 0;
  const auto check = [&](const std::vector<PackBuffer>& buffers) {
    ++count;
    check_against_brute_force(buffers);
  };
  for (size_t n = 1; n <= 4; ++n) all_instances(n, static_cast<int64_t>(n), {1, 2, 3}, check);
  all_instances(5, 4, {2, 3}, check);
  CHECK(count == 3 + 45 + 1140 + 40920 + 42504);
}

TEST_CASE("exact equals brute force: 10,000 drawn instances of 6 and 7 buffers") {
  uint32_t seed = 1;
  const auto draw = [&](uint32_t n) {
    return static_cast<int64_t>((seed = seed * 1664525 + 1013904223) >> 8) % n;
  };
  for (int round = 0; round < 10000; ++round) {
    std::vector<PackBuffer> buffers(round % 10 == 0 ? 7 : 6);
    const uint32_t most = round % 2 ? 9 : 3;
    for (PackBuffer& b : buffers) b.lower = draw(7), b.upper = b.lower + 1 + draw(5), b.size = 1 + draw(most);
    check_against_brute_force(buffers);
  }
}

TEST_CASE("more of any buffer never lowers the exact height") {
  uint32_t seed = 7;
  const auto draw = [&](uint32_t n) {
    return static_cast<int64_t>((seed = seed * 1664525 + 1013904223) >> 8) % n;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<PackBuffer> buffers(static_cast<size_t>(3 + draw(10)));
    for (PackBuffer& b : buffers) b.lower = draw(9), b.upper = b.lower + 1 + draw(6), b.size = 1 + draw(9);
    irplan::PackOptions options;
    options.strength = irplan::Strength::Exact;
    const int64_t before = irplan::pack(buffers, options).height;
    PackBuffer& grown = buffers[static_cast<size_t>(draw(static_cast<uint32_t>(buffers.size())))];
    (round % 2 ? grown.size : grown.upper) += 1 + draw(3);
    CHECK(irplan::pack(buffers, options).height >= before);
  }
}

TEST_CASE("a capacity above the bound that is met proves nothing of lower placements") {
  const std::vector<PackBuffer> buffers{{0, 2, 4}, {1, 3, 5}, {2, 4, 4}, {3, 5, 5}, {0, 5, 1}};
  irplan::PackOptions options;
  options.capacity = 1000;
  const irplan::PackResult result = irplan::pack(buffers, options);
  CHECK(result.height <= 1000);
  CHECK((!result.proven || result.height == irplan::pack(buffers).height));
}

TEST_CASE("a search can be followed, and ended with the best placement so far") {
  // Two sizes that never fill the height between them: the bound is not met, and hard to refute.
  std::vector<PackBuffer> buffers;
  for (int64_t i = 0; i < 60; ++i) buffers.push_back({i, i + 7 + i % 5, 100 + 37 * (i * i % 11)});
  irplan::PackOptions options;
  options.strength = irplan::Strength::Exact;
  int asked = 0;
  options.progress = [&](const irplan::PackProgress& at) {
    CHECK(at.height >= at.tried);
    return ++asked < 3;
  };
  const irplan::PackResult result = irplan::pack(buffers, options);
  CHECK(result.stopped);
  CHECK(asked >= 3);
  CHECK(valid(buffers, result));
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
  const auto table = irplan::read_pack_csv("id,lower,upper,size\na,0,2,4\nb,1,3,5\n");
  REQUIRE(table);
  const irplan::PackResult result = irplan::pack(table->buffers);
  CHECK(result.height == 9);
  CHECK(irplan::write_pack_csv(*table, result).substr(0, 27) == "id,lower,upper,size,offset\n");
  CHECK(irplan::read_pack_csv("id,lower,upper,size\na,0,2,x\n").message() ==
        "line 2: `x` is not a valid size");
  CHECK(irplan::read_pack_csv("id,lower,upper,size\na,0,2,1\na,1,2,1\n").message() ==
        "two buffers have the id `a`");
  CHECK(irplan::read_pack_csv("\"size\",id,upper,lower,offset\r\n4,\"a\",2,0,9\r\n")->buffers[0].size == 4);
}
