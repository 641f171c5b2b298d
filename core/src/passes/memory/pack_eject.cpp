#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "base/sort.h"
#include "passes/memory/pack_parts.h"
#include "passes/memory/pack_shelves.h"

namespace irplan::packing {
namespace {

constexpr int64_t kWatchedPlacements = 128;  // placements from one question of the watch to the next
constexpr int64_t kFirstStep = 3;            // of what is above the target, taken down at once
constexpr int64_t kAttempts = 24;            // that all fail would use up the work
constexpr int64_t kChoosing = 4;             // work of choosing whom to eject, for each who is alive

// Searches for a placement under a ceiling: whoever stands too high is placed anew in the smallest gap; where
// none is large enough, at the offset where those in its way are cheapest, who then wait for a place
// themselves. A buffer becomes dearer each time that it finds no gap, so that no two push each other out
// for ever (as in guided ejection search for vehicle routes).
class Ejection {
 public:
  Ejection(const std::vector<Item>& items, int64_t work, const Report& report, Offsets& best)
      : items_(items),
        work_(work),
        report_(report),
        best_(best),
        offsets_(best),
        shelves_(items),
        weight_(items.size(), 1),
        is_touched_(items.size(), 0) {
    for (uint32_t i = 0; i < items.size(); ++i) shelves_.insert(i, offsets_[i]);
  }

  // Ever smaller steps down, until the work is used up.
  void run(int64_t target) {
    int64_t unit = 0;
    for (const Item& item : items_) unit = std::gcd(unit, item.size);
    height_ = height_of(items_, best_);
    for (int64_t step = kFirstStep; height_ > target && used() < work_ && !stopped_;) {
      ceiling_ = std::max(target, height_ - std::max(unit, (height_ - target) / step));
      if (search(std::min(work_, used() + work_ / kAttempts))) {
        keep();
      } else {
        take_back();
        step = std::min(step * 2, height_);
      }
    }
  }

  int64_t nodes() const { return nodes_; }

 private:
  int64_t used() const { return shelves_.looked() + chosen_; }

  bool search(int64_t limit) {
    const auto later = [&](uint32_t a, uint32_t b) { return easier(a, b); };
    waiting_.clear();
    for (uint32_t i = 0; i < items_.size(); ++i) {
      if (offsets_[i] + items_[i].size > ceiling_) eject(i);
    }
    std::make_heap(waiting_.begin(), waiting_.end(), later);
    while (!waiting_.empty()) {
      if (used() > limit || !go_on()) return false;
      std::pop_heap(waiting_.begin(), waiting_.end(), later);
      const uint32_t i = waiting_.back();
      waiting_.pop_back();
      ++nodes_;
      const std::span<const Placed> near = shelves_.alive_with(items_[i]);
      int64_t at = gap_for(items_[i], near);
      if (at < 0) {
        ++weight_[i];
        at = cheapest(items_[i], near);
        out_.clear();
        for (const Placed& p : near) {
          if (p.offset < at + items_[i].size && p.end > at) out_.push_back(p.item);
        }
        for (const uint32_t j : out_) {
          eject(j);
          std::push_heap(waiting_.begin(), waiting_.end(), later);
        }
      }
      offsets_[i] = at;
      shelves_.insert(i, at);
    }
    return true;
  }

  // Whether `a` is placed after `b`: who found no gap most often comes first, then the largest.
  bool easier(uint32_t a, uint32_t b) const {
    if (weight_[a] != weight_[b]) return weight_[a] < weight_[b];
    const auto area = [&](uint32_t i) {
      return static_cast<__int128>(items_[i].size) * (items_[i].last - items_[i].first);
    };
    return area(a) != area(b) ? area(a) < area(b) : a > b;
  }

  void eject(uint32_t i) {
    if (!is_touched_[i]) is_touched_[i] = 1, touched_.push_back(i);
    shelves_.erase(i, offsets_[i]);
    offsets_[i] = -1;
    waiting_.push_back(i);
  }

  // The smallest gap below the ceiling; -1 where none is large enough.
  int64_t gap_for(const Item& item, std::span<const Placed> near) const {
    Gap gap(item.size, true);
    for (const Placed& p : near) gap.found_below(p);
    gap.closes_at(ceiling_);
    return gap.found() ? gap.offset() : -1;
  }

  // Long lives are dear, as they have more in their way; by the root of their length, roughly.
  int64_t price(uint32_t i) const {
    const auto life = static_cast<uint32_t>(items_[i].last - items_[i].first);
    return weight_[i] << (std::bit_width(life) / 2);
  }

  // The offset, of 0 and the ends of those alive with it, where who is in the way is cheapest; among several
  // one that is drawn.
  int64_t cheapest(const Item& item, std::span<const Placed> near) {
    chosen_ += kChoosing * static_cast<int64_t>(near.size());
    ends_.clear();
    for (const Placed& p : near) {
      if (p.end <= ceiling_ - item.size) ends_.emplace_back(p.end, price(p.item));
    }
    sort_range(ends_.begin(), ends_.end());
    int64_t least = INT64_MAX, best = 0, begun = 0, ended = 0;
    uint64_t ties = 0;
    size_t next = 0;
    const auto consider = [&](int64_t at) {
      for (; next < near.size() && near[next].offset < at + item.size; ++next)
        begun += price(near[next].item);
      const int64_t cost = begun - ended;
      if (cost < least) least = cost, ties = 0;
      if (cost > least) return;
      ++ties;
      if (mixed(static_cast<uint64_t>(nodes_) << 20 ^ ties) % ties == 0) best = at;
    };
    consider(0);
    for (size_t k = 0; k < ends_.size();) {
      const int64_t at = ends_[k].first;
      for (; k < ends_.size() && ends_[k].first == at; ++k) ended += ends_[k].second;
      consider(at);
    }
    return best;
  }

  void keep() {
    for (const uint32_t i : touched_) best_[i] = offsets_[i];
    forget_touched();
    height_ = height_of(items_, best_);
  }

  void take_back() {
    for (const uint32_t i : touched_) {
      if (offsets_[i] >= 0) shelves_.erase(i, offsets_[i]);
      offsets_[i] = best_[i];
    }
    for (const uint32_t i : touched_) shelves_.insert(i, offsets_[i]);
    forget_touched();
  }

  void forget_touched() {
    for (const uint32_t i : touched_) is_touched_[i] = 0;
    touched_.clear();
  }

  bool go_on() {
    if (nodes_ % kWatchedPlacements == 0 && report_ && !report_(height_, ceiling_, nodes_)) stopped_ = true;
    return !stopped_;
  }

  const std::vector<Item>& items_;
  const int64_t work_;
  const Report& report_;
  Offsets& best_;
  Offsets offsets_;  // -1: waits
  Shelves shelves_;
  std::vector<int64_t> weight_;
  std::vector<uint32_t> waiting_;                  // a heap
  std::vector<uint32_t> out_;                      // of one placement
  std::vector<std::pair<int64_t, int64_t>> ends_;  // and prices, of one choice
  std::vector<uint32_t> touched_;                  // moved since `best_`
  std::vector<uint8_t> is_touched_;
  int64_t height_ = 0, ceiling_ = 0, nodes_ = 0, chosen_ = 0;
  bool stopped_ = false;
};

}  // namespace

void eject(const std::vector<Item>& items, int64_t target, int64_t work, const Report& report, int64_t& nodes,
           Offsets& offsets) {
  Ejection ejection(items, work, report, offsets);
  ejection.run(target);
  nodes += ejection.nodes();
}

}  // namespace irplan::packing
