// Which sequences share a step.
#include "tools/irplan-run/batches.h"

#include <algorithm>
#include <random>

#include "catch.h"

namespace irplan::run {
namespace {

using Slots = std::vector<size_t>;
using Counts = std::vector<int64_t>;

TEST_CASE("batches: prompts of a size, the oldest with them") {
  const std::vector<Pending> pending = {{0, 5, 2}, {1, 1, 0}, {2, 3, 3}, {3, 40, 1}, {4, 5, 4}};
  // Forty tokens are work enough.
  Batch batch = next_prompts(pending, 512, false);
  CHECK(batch.slots == Slots{3});
  CHECK(batch.counts == Counts{40});
  // Without it: three at 3 tokens are less than two at 5; all with the oldest.
  const std::vector<Pending> few = {{0, 5, 2}, {1, 1, 0}, {2, 3, 3}, {4, 5, 4}};
  batch = next_prompts(few, 512, false);
  CHECK(batch.slots == Slots{0, 4});
  CHECK(batch.counts == Counts{5, 5});
  CHECK(next_prompts(few, 5, false).slots == Slots{0});
  CHECK(next_prompts({{7, 1, 0}}, 512, false).slots.empty());
  batch = decoding(pending);
  CHECK(batch.slots == Slots{1});
}

TEST_CASE("batches: with steps of own sizes, prompts and decoding share one") {
  // Nine rows of four cost less than a step of four and one of eight.
  std::vector<Pending> pending = {{8, 4, 9}};
  for (size_t slot = 0; slot < 8; ++slot) pending.push_back({slot, 1, static_cast<int64_t>(slot)});
  Batch batch = next_prompts(pending, 512, true);
  CHECK(batch.slots.size() == 9);
  CHECK(batch.counts == Counts{1, 1, 1, 1, 1, 1, 1, 1, 4});
  // Rows of 512 do not.
  pending[0].tokens = 512;
  batch = next_prompts(pending, 8192, true);
  CHECK(batch.slots == Slots{8});
  // 20 and 17 do, 40 and 2 do not.
  CHECK(next_prompts({{0, 20, 0}, {1, 17, 1}}, 512, true).slots == Slots{0, 1});
  CHECK(next_prompts({{0, 40, 0}, {1, 2, 1}}, 512, true).slots == Slots{0});
}

TEST_CASE("batches: the oldest goes first, nothing is fed twice, and limits hold") {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Pending> pending;
    std::vector<int64_t> order(12);
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
    std::shuffle(order.begin(), order.end(), random);
    for (size_t slot = 0; slot < order.size(); ++slot) {
      if (random() % 3) pending.push_back({slot, 1 + static_cast<int64_t>(random() % 60), order[slot]});
    }
    const bool ragged = random() % 2;
    const auto most = static_cast<int64_t>(1 + random() % 200);
    const Batch batch = next_prompts(pending, most, ragged);
    const Pending* oldest = nullptr;
    for (const Pending& row : pending) {
      if (row.tokens > 1 && (!oldest || row.order < oldest->order)) oldest = &row;
    }
    REQUIRE(batch.slots.empty() == !oldest);
    if (!oldest) continue;
    CHECK(std::find(batch.slots.begin(), batch.slots.end(), oldest->slot) != batch.slots.end());
    CHECK(std::is_sorted(batch.slots.begin(), batch.slots.end()));
    CHECK(std::adjacent_find(batch.slots.begin(), batch.slots.end()) == batch.slots.end());
    REQUIRE(batch.slots.size() == batch.counts.size());
    const auto rows = static_cast<int64_t>(batch.slots.size());
    CHECK((rows == 1 || rows * batch.count() <= most));
    for (size_t i = 0; i < batch.slots.size(); ++i) {
      const auto row = std::find_if(pending.begin(), pending.end(),
                                    [&](const Pending& p) { return p.slot == batch.slots[i]; });
      REQUIRE(row != pending.end());
      CHECK(batch.counts[i] >= 1);
      CHECK(batch.counts[i] <= row->tokens);
      CHECK((ragged || batch.counts[i] == batch.counts[0]));
    }
  }
}

}  // namespace
}  // namespace irplan::run
