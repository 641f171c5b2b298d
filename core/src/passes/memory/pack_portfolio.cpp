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

// The lowest gap where a size fits, or with `tight` the lowest of the smallest such gaps, between buffers
// that come by rising offset.
class Gap {
 public:
  Gap(int64_t size, bool tight) : size_(size), tight_(tight) {}

  // Takes the next buffer; true where no later one matters.
  bool found_below(const Placed& p) {
    const int64_t gap = p.offset - end_;
    if (gap >= size_) {
      if (gap < least_) least_ = gap, best_ = end_;
      if (!tight_) return true;
    }
    end_ = std::max(end_, p.end);
    return false;
  }

  int64_t offset() const { return best_ >= 0 ? best_ : end_; }

 private:
  const int64_t size_;
  const bool tight_;
  int64_t end_ = 0;  // of all so far
  int64_t best_ = -1, least_ = INT64_MAX;
};

// Placed buffers by rising offset, in blocks that know when any of theirs is alive.
class Shelf {
 public:
  int64_t fit(const Item& item, bool tight) const {
    Gap gap(item.size, tight);
    for (const Block& block : blocks_) {
      if (block.first >= item.last || block.last <= item.first) continue;
      for (const Placed& p : block.placed) {
        if (p.first >= item.last || p.last <= item.first) continue;
        if (gap.found_below(p)) return gap.offset();
      }
    }
    return gap.offset();
  }

  // Appends what is alive with the item.
  void alive_with(const Item& item, std::vector<Placed>& out) const {
    for (const Block& block : blocks_) {
      if (block.first >= item.last || block.last <= item.first) continue;
      for (const Placed& p : block.placed) {
        if (p.first < item.last && p.last > item.first) out.push_back(p);
      }
    }
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

// Shelves side by side, each for a stretch of sections: a million short lives do not look at one another.
// What they give is what one shelf would.
class Shelves {
 public:
  explicit Shelves(const std::vector<Item>& items) {
    int32_t sections = 1;
    for (const Item& item : items) sections = std::max(sections, item.last);
    // As narrow as few lives reach over columns; where many do, columns are no help.
    for (size_t each = 128; each < 4096; each *= 2) {
      width_ = static_cast<int32_t>(static_cast<size_t>(sections) / (items.size() / each + 1)) + 1;
      size_t crossing = 0;
      for (const Item& item : items) crossing += column(item.first) != column(item.last - 1);
      if (crossing <= items.size() / 32) break;
      width_ = sections;
    }
    shelves_.resize(static_cast<size_t>((sections - 1) / width_) + 1);
  }

  int64_t fit(const Item& item, bool tight) {
    const size_t from = column(item.first), to = column(item.last - 1);
    if (from == to) return shelves_[from].fit(item, tight);
    near_.clear();
    for (size_t c = from; c <= to; ++c) shelves_[c].alive_with(item, near_);
    std::sort(near_.begin(), near_.end(),
              [](const Placed& a, const Placed& b) { return a.offset < b.offset; });
    Gap gap(item.size, tight);
    for (const Placed& p : near_) {
      if (gap.found_below(p)) break;
    }
    return gap.offset();
  }

  void insert(const Item& item, int64_t offset) {
    for (size_t c = column(item.first); c <= column(item.last - 1); ++c) shelves_[c].insert(item, offset);
  }

 private:
  size_t column(int32_t section) const { return static_cast<size_t>(section / width_); }

  int32_t width_ = 1;
  std::vector<Shelf> shelves_;
  std::vector<Placed> near_;  // of one fit; kept for its memory
};

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
        const int64_t before = least_;
        if (consider(place(items_, order, tight))) return std::move(best_);
        if (least_ < before) best_rule_ = rule, best_tight_ = tight;
        if (many && good()) break;
      }
      if (many && good()) break;
    }
    if (many) {
      if (least_ - target_ > target_ / kVeryGoodShare) mend(sequence(items_, best_rule_), best_tight_);
      return std::move(best_);
    }
    for (const Rule rule : {Rule::Life, Rule::Area, Rule::Size, Rule::Begin}) {
      for (const bool tight : {true, false}) {
        if (mend(sequence(items_, rule), tight)) return std::move(best_);
      }
    }
    return std::move(best_);
  }

 private:
  static constexpr size_t kMany = 8192;       // buffers: then only the best sequence is mended
  static constexpr int64_t kGoodShare = 100;  // within this share of the target no other sequence is tried
  static constexpr int64_t kVeryGoodShare = 300;  // within this one nothing is mended

  bool good() const { return least_ - target_ <= target_ / kGoodShare; }

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
      const std::vector<uint8_t> critical = highest_stack(items_, offsets);
      std::stable_partition(order.begin(), order.end(), [&](uint32_t i) { return critical[i] != 0; });
    }
    return false;
  }

  const std::vector<Item>& items_;
  const int64_t target_;
  const size_t mend_work_;
  Offsets best_;
  Rule best_rule_ = Rule::Life;  // that gave it before anything was mended
  bool best_tight_ = true;
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
  Shelves shelves(items);
  Offsets offsets(items.size());
  for (const uint32_t i : order) {
    offsets[i] = shelves.fit(items[i], tight);
    shelves.insert(items[i], offsets[i]);
  }
  return offsets;
}

std::vector<uint8_t> highest_stack(const std::vector<Item>& items, const Offsets& offsets) {
  const auto end = [&](uint32_t i) { return offsets[i] + items[i].size; };
  std::vector<uint32_t> by_end(items.size());
  std::iota(by_end.begin(), by_end.end(), 0);
  std::sort(by_end.begin(), by_end.end(),
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
