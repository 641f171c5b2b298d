#include "passes/memory/pack_shelves.h"

#include <algorithm>
#include <bit>

namespace irplan::packing {
namespace {

constexpr size_t kOneColumn = 512;  // up to so many buffers one column serves best
constexpr size_t kColumn = 8;       // buffers for each column of the lowest level

int level_of(int32_t sections) { return std::bit_width(static_cast<uint32_t>(sections - 1)); }

// Two runs by rising offset into one. Which comes next is a coin's throw: no branch waits for it.
void merge(const Placed* a, const Placed* a_end, const Placed* b, const Placed* b_end, Placed* out) {
  while (a < a_end && b < b_end) {
    const bool second = b->offset < a->offset;
    *out++ = *(second ? b : a);
    b += second, a += !second;
  }
  out = std::copy(a, a_end, out);
  std::copy(b, b_end, out);
}

}  // namespace

Shelves::Shelves(const std::vector<Item>& items) : items_(items) {
  int32_t sections = 1;
  for (const Item& item : items) sections = std::max(sections, item.last);
  const int highest = level_of(sections);
  lowest_ = highest;
  if (items.size() > kOneColumn) {
    const size_t columns = items.size() / kColumn;
    for (lowest_ = 0; lowest_<highest&& static_cast<size_t>(sections >> lowest_)> columns;) ++lowest_;
  }
  for (int level = lowest_; level <= highest; ++level)
    levels_.emplace_back(static_cast<size_t>((sections - 1) >> level) + 1);
}

Shelves::Column& Shelves::column_of(const Item& item) {
  const int level = std::max(level_of(item.last - item.first), lowest_);
  return levels_[static_cast<size_t>(level - lowest_)][static_cast<size_t>(item.first >> level)];
}

void Shelves::insert(uint32_t item, int64_t offset) {
  const Item& it = items_[item];
  Column& column = column_of(it);
  column.insert(std::upper_bound(column.begin(), column.end(), offset,
                                 [](int64_t o, const Placed& p) { return o < p.offset; }),
                {offset, offset + it.size, it.first, it.last, item});
}

void Shelves::erase(uint32_t item, int64_t offset) {
  Column& column = column_of(items_[item]);
  auto at = std::lower_bound(column.begin(), column.end(), offset,
                             [](const Placed& p, int64_t o) { return p.offset < o; });
  while (at->item != item) ++at;
  column.erase(at);
}

int64_t Shelves::fit(const Item& item, bool tight) {
  Gap gap(item.size, tight);
  if (levels_.size() == 1) {
    for (const Placed& p : levels_[0][0]) {
      if (p.first < item.last && p.last > item.first && gap.found_below(p)) break;
    }
  } else {
    for (const Placed& p : alive_with(item)) {
      if (gap.found_below(p)) break;
    }
  }
  return gap.offset();
}

std::span<const Placed> Shelves::alive_with(const Item& item) {
  near_.clear();
  runs_.clear();
  for (size_t k = 0; k < levels_.size(); ++k) {
    const int level = lowest_ + static_cast<int>(k);
    // Who begins in the column before may live into this one.
    const int32_t from = std::max((item.first >> level) - 1, 0), to = (item.last - 1) >> level;
    for (int32_t c = from; c <= to; ++c) {
      const Column& column = levels_[k][static_cast<size_t>(c)];
      looked_ += static_cast<int64_t>(column.size());
      for (const Placed& p : column) {
        if (p.first < item.last && p.last > item.first) near_.push_back(p);
      }
      if (near_.size() > (runs_.empty() ? 0 : runs_.back())) runs_.push_back(near_.size());
    }
  }
  merge_runs();
  return near_;
}

void Shelves::merge_runs() {
  while (runs_.size() > 1) {
    looked_ += static_cast<int64_t>(near_.size());
    merged_.resize(near_.size());
    size_t begin = 0, kept = 0;
    for (size_t r = 0; r < runs_.size(); r += 2) {
      const size_t middle = runs_[r], end = runs_[std::min(r + 1, runs_.size() - 1)];
      const Placed* const near = near_.data();
      merge(near + begin, near + middle, near + middle, near + end, merged_.data() + begin);
      runs_[kept++] = begin = end;
    }
    runs_.resize(kept);
    near_.swap(merged_);
  }
}

}  // namespace irplan::packing
