#include <algorithm>
#include <bit>
#include <cstddef>
#include <numeric>

#include "base/sort.h"
#include "passes/memory/pack_parts.h"
#include "passes/memory/pack_shelves.h"

namespace irplan::packing {
namespace {

constexpr int64_t kFullSteps = 100;

constexpr Rule kSkylineRules[] = {Rule::Life, Rule::Area, Rule::Size, Rule::Full};
constexpr Rule kPlaceRules[] = {Rule::Life, Rule::Area, Rule::Size, Rule::Begin};

int32_t sections_of(const std::vector<Item>& items) {
  int32_t sections = 1;
  for (const Item& item : items) sections = std::max(sections, item.last);
  return sections;
}

// The largest of consecutive sections: tables of the largest of 1, 2, 4, … sections from each on.
class Fullest {
 public:
  explicit Fullest(const std::vector<Item>& items) {
    const auto sections = static_cast<size_t>(sections_of(items));
    std::vector<int64_t> sums(sections + 1);
    for (const Item& item : items) {
      sums[static_cast<size_t>(item.first)] += item.size;
      sums[static_cast<size_t>(item.last)] -= item.size;
    }
    std::partial_sum(sums.begin(), sums.end(), sums.begin());
    tables_.push_back(std::move(sums));
    for (size_t width = 1; 2 * width <= sections; width *= 2) {
      const std::vector<int64_t>& half = tables_.back();
      std::vector<int64_t> table(half.size() - width);
      for (size_t s = 0; s < table.size(); ++s) table[s] = std::max(half[s], half[s + width]);
      tables_.push_back(std::move(table));
    }
  }

  int64_t of(const Item& item) const {
    const auto life = static_cast<uint32_t>(item.last - item.first);
    const std::vector<int64_t>& table = tables_[static_cast<size_t>(std::bit_width(life)) - 1];
    const auto last = static_cast<size_t>(item.last) - std::bit_floor(life);
    return std::max(table[static_cast<size_t>(item.first)], table[last]);
  }

  int64_t most() const { return *std::max_element(tables_[0].begin(), tables_[0].end()); }

 private:
  std::vector<std::vector<int64_t>> tables_;
};

// Tries the sequences, and mends the good ones.
class Portfolio {
 public:
  Portfolio(const std::vector<Item>& items, int64_t target, size_t mend_work)
      : items_(items), target_(target), mend_work_(mend_work) {}

  Offsets run() {
    for (const Rule rule : kSkylineRules) {
      if (consider(skyline(items_, sequence(items_, rule), least_))) return std::move(best_);
    }
    items_.size() > kMany ? try_many() : try_few();
    return std::move(best_);
  }

 private:
  static constexpr size_t kMany = 8192;              // buffers: more are not mended
  static constexpr int64_t kMostPairs = 50'000'000;  // alive together; then only the skyline is fast
  static constexpr int64_t kGoodShare = 500;         // within this share of the target nothing else is tried

  void try_few() {
    for (const Rule rule : kPlaceRules) {
      const std::vector<uint32_t> order = sequence(items_, rule);
      for (const bool tight : {true, false}) {
        if (consider(place(items_, order, tight, least_))) return;
      }
    }
    for (const Rule rule : kPlaceRules) {
      for (const bool tight : {true, false}) {
        if (mend(sequence(items_, rule), tight)) return;
      }
    }
  }

  void try_many() {
    for (const Rule rule : {Rule::Full, Rule::Life}) {
      if (least_ - target_ <= target_ / kGoodShare || pairs() > kMostPairs) return;
      if (consider(place(items_, sequence(items_, rule), true, least_))) return;
    }
  }

  // Alive together, about: each with those alive where it begins.
  int64_t pairs() const {
    std::vector<int64_t> alive(static_cast<size_t>(sections_of(items_)) + 1);
    for (const Item& item : items_)
      ++alive[static_cast<size_t>(item.first)], --alive[static_cast<size_t>(item.last)];
    std::partial_sum(alive.begin(), alive.end(), alive.begin());
    int64_t sum = 0;
    for (const Item& item : items_) sum += alive[static_cast<size_t>(item.first)];
    return sum;
  }

  // Of a placement that was not given up; true where the target is met.
  bool consider(Offsets offsets) {
    if (offsets.empty()) return false;
    const int64_t height = height_of(items_, offsets);
    if (height < least_) least_ = height, best_ = std::move(offsets);
    return least_ <= target_;
  }

  // Places again and again, with the buffers of the stack that is too high moved to the front of the
  // sequence.
  bool mend(std::vector<uint32_t> order, bool tight) {
    for (size_t work = 0; work < mend_work_; work += items_.size()) {
      const Offsets offsets = place(items_, order, tight);
      if (consider(offsets)) return true;
      const std::vector<uint8_t> critical = highest_stack(items_, offsets);
      std::stable_partition(order.begin(), order.end(), [&](uint32_t i) { return critical[i] != 0; });
    }
    return false;
  }

  const std::vector<Item>& items_;
  const int64_t target_;
  const size_t mend_work_;
  Offsets best_;
  int64_t least_ = INT64_MAX;
};

}  // namespace

int64_t height_of(const std::vector<Item>& items, const Offsets& offsets) {
  int64_t height = 0;
  for (size_t i = 0; i < items.size(); ++i) height = std::max(height, offsets[i] + items[i].size);
  return height;
}

std::vector<uint32_t> sequence(const std::vector<Item>& items, Rule rule) {
  std::vector<uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  const auto life = [&](uint32_t i) { return items[i].last - items[i].first; };
  std::vector<int64_t> empty;  // by item: how far its fullest section is from the fullest, in steps
  if (rule == Rule::Full) {
    const Fullest fullest(items);
    const int64_t most = fullest.most();
    for (const Item& item : items) empty.push_back((most - fullest.of(item)) / (most / kFullSteps + 1));
  }
  sort_range(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const Item &x = items[a], &y = items[b];
    switch (rule) {
      case Rule::Life: return life(a) != life(b) ? life(a) > life(b) : x.size > y.size;
      case Rule::Area:
        return static_cast<__int128>(x.size) * life(a) > static_cast<__int128>(y.size) * life(b);
      case Rule::Size: return x.size != y.size ? x.size > y.size : life(a) > life(b);
      case Rule::Full: return empty[a] != empty[b] ? empty[a] < empty[b] : life(a) > life(b);
      default: return x.first != y.first ? x.first < y.first : x.size > y.size;
    }
  });
  return order;
}

Offsets place(const std::vector<Item>& items, const std::vector<uint32_t>& order, bool tight,
              int64_t ceiling) {
  Shelves shelves(items);
  Offsets offsets(items.size());
  for (const uint32_t i : order) {
    offsets[i] = shelves.fit(items[i], tight);
    if (offsets[i] + items[i].size >= ceiling) return {};
    shelves.insert(i, offsets[i]);
  }
  return offsets;
}

std::vector<uint8_t> highest_stack(const std::vector<Item>& items, const Offsets& offsets) {
  const auto end = [&](uint32_t i) { return offsets[i] + items[i].size; };
  std::vector<uint32_t> by_end(items.size());
  std::iota(by_end.begin(), by_end.end(), 0);
  sort_range(by_end.begin(), by_end.end(),
             [&](uint32_t a, uint32_t b) { return end(a) != end(b) ? end(a) < end(b) : a < b; });
  std::vector<uint8_t> critical(items.size(), 0);
  uint32_t top = by_end.back();
  critical[top] = 1;
  for (bool found = true; found && offsets[top] > 0;) {
    found = false;
    auto next = std::lower_bound(by_end.begin(), by_end.end(), offsets[top],
                                 [&](uint32_t i, int64_t at) { return end(i) < at; });
    for (; next != by_end.end() && end(*next) == offsets[top]; ++next) {
      found = items[*next].first < items[top].last && items[top].first < items[*next].last;
      if (!found) continue;
      critical[*next] = 1;
      top = *next;
      break;
    }
  }
  return critical;
}

Offsets portfolio(const std::vector<Item>& items, int64_t target, size_t mend_work) {
  return Portfolio(items, target, mend_work).run();
}

}  // namespace irplan::packing
