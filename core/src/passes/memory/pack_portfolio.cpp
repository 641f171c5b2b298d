#include <algorithm>
#include <cstddef>
#include <numeric>

#include "passes/memory/pack_parts.h"

namespace irplan::packing {
namespace {

constexpr size_t kBlock = 64;  // placed buffers that are skipped together where none is alive

struct Placed {
  int64_t offset, end;
  int32_t first, last;
};

// Placed buffers by rising offset, in blocks that know when any of theirs is alive.
class Shelf {
 public:
  // The lowest gap where the item fits, or with `tight` the smallest such gap.
  int64_t fit(const Item& item, bool tight) const {
    int64_t at = 0, best = -1, least = INT64_MAX;
    for (const Block& block : blocks_) {
      if (block.first >= item.last || block.last <= item.first) continue;
      for (const Placed& p : block.placed) {
        if (p.first >= item.last || p.last <= item.first) continue;
        const int64_t gap = p.offset - at;
        if (gap >= item.size) {
          if (!tight) return at;
          if (gap < least) least = gap, best = at;
        }
        at = std::max(at, p.end);
      }
    }
    return best >= 0 ? best : at;
  }

  void insert(const Item& item, int64_t offset) {
    const Placed placed{offset, offset + item.size, item.first, item.last};
    if (blocks_.empty()) blocks_.emplace_back();
    auto block = std::upper_bound(blocks_.begin() + 1, blocks_.end(), offset,
                                  [](int64_t o, const Block& b) { return o < b.placed.front().offset; }) -
                 1;
    auto& list = block->placed;
    list.insert(std::upper_bound(list.begin(), list.end(), offset,
                                 [](int64_t o, const Placed& p) { return o < p.offset; }),
                placed);
    block->first = std::min(block->first, item.first);
    block->last = std::max(block->last, item.last);
    if (list.size() >= 2 * kBlock) split(static_cast<size_t>(block - blocks_.begin()));
  }

 private:
  struct Block {
    int32_t first = INT32_MAX, last = 0;
    std::vector<Placed> placed;
  };

  void split(size_t i) {
    Block upper;
    auto& list = blocks_[i].placed;
    upper.placed.assign(list.begin() + kBlock, list.end());
    list.resize(kBlock);
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(upper));
    for (const size_t b : {i, i + 1}) {
      blocks_[b].first = INT32_MAX, blocks_[b].last = 0;
      for (const Placed& p : blocks_[b].placed) {
        blocks_[b].first = std::min(blocks_[b].first, p.first);
        blocks_[b].last = std::max(blocks_[b].last, p.last);
      }
    }
  }

  std::vector<Block> blocks_;
};

enum class Rule { Life, Area, Size, Begin };

std::vector<uint32_t> sequence(const std::vector<Item>& items, Rule rule) {
  std::vector<uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  const auto life = [&](uint32_t i) { return items[i].last - items[i].first; };
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const Item &x = items[a], &y = items[b];
    switch (rule) {
      case Rule::Life: return life(a) != life(b) ? life(a) > life(b) : x.size > y.size;
      case Rule::Area:
        return static_cast<__int128>(x.size) * life(a) > static_cast<__int128>(y.size) * life(b);
      case Rule::Size: return x.size != y.size ? x.size > y.size : life(a) > life(b);
      default: return x.first != y.first ? x.first < y.first : x.size > y.size;
    }
  });
  return order;
}

Offsets place(const std::vector<Item>& items, const std::vector<uint32_t>& order, bool tight) {
  Shelf shelf;
  Offsets offsets(items.size());
  for (const uint32_t i : order) {
    offsets[i] = shelf.fit(items[i], tight);
    shelf.insert(items[i], offsets[i]);
  }
  return offsets;
}

// Tries the sequences, and mends the good ones.
class Portfolio {
 public:
  Portfolio(const std::vector<Item>& items, int64_t target, size_t mend_work)
      : items_(items), target_(target), mend_work_(mend_work) {}

  Offsets run() {
    const bool many = items_.size() > kMany;
    for (const Rule rule : {Rule::Life, Rule::Area, Rule::Size, Rule::Begin}) {
      const std::vector<uint32_t> order = sequence(items_, rule);
      for (const bool tight : {true, false}) {
        if (consider(place(items_, order, tight))) return std::move(best_);
        if (many && least_ - target_ <= target_ / kGoodShare) return std::move(best_);
      }
    }
    if (many) return std::move(best_);
    for (const Rule rule : {Rule::Life, Rule::Area, Rule::Size, Rule::Begin}) {
      for (const bool tight : {true, false}) {
        if (mend(sequence(items_, rule), tight)) return std::move(best_);
      }
    }
    return std::move(best_);
  }

 private:
  static constexpr size_t kMany = 8192;       // buffers: then one good placement is enough
  static constexpr int64_t kGoodShare = 100;  // a placement is good within a hundredth of the target

  // True where the target is met.
  bool consider(Offsets offsets) {
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
      const std::vector<uint8_t> critical = stack_of(offsets);
      std::stable_partition(order.begin(), order.end(), [&](uint32_t i) { return critical[i] != 0; });
    }
    return false;
  }

  // The highest buffer and, again and again, one on which it stands.
  std::vector<uint8_t> stack_of(const Offsets& offsets) const {
    std::vector<uint8_t> critical(items_.size(), 0);
    size_t top = 0;
    for (size_t i = 1; i < items_.size(); ++i) {
      if (offsets[i] + items_[i].size > offsets[top] + items_[top].size) top = i;
    }
    critical[top] = 1;
    for (bool found = true; found && offsets[top] > 0;) {
      found = false;
      for (size_t i = 0; i < items_.size() && !found; ++i) {
        const bool together = items_[i].first < items_[top].last && items_[top].first < items_[i].last;
        if (!together || offsets[i] + items_[i].size != offsets[top]) continue;
        critical[i] = 1, top = i, found = true;
      }
    }
    return critical;
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

Offsets portfolio(const std::vector<Item>& items, int64_t target, size_t mend_work) {
  return Portfolio(items, target, mend_work).run();
}

}  // namespace irplan::packing
