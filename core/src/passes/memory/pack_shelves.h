// Placed buffers, found by when they are alive, by rising offset.
//
// A buffer that lives in up to 2^k sections stands on level k, in the column of its first section; columns of
// level k are 2^k sections wide. So few columns of each level hold all who are alive with a buffer, however
// many are not. Some hundred buffers are one column.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "passes/memory/pack_parts.h"

namespace irplan::packing {

struct Placed {
  int64_t offset, end;
  int32_t first, last;
  uint32_t item;
};

// The lowest gap where a size fits, or with `tight` the lowest of the smallest such gaps, between buffers
// that come by rising offset.
class Gap {
 public:
  Gap(int64_t size, bool tight) : size_(size), tight_(tight) {}

  // Takes the next buffer; true where no later one matters.
  bool found_below(const Placed& p) {
    if (closes_at(p.offset)) return true;
    end_ = std::max(end_, p.end);
    return false;
  }
  bool closes_at(int64_t offset) {
    const int64_t gap = offset - end_;
    if (gap < size_) return false;
    if (gap < least_) least_ = gap, best_ = end_;
    return !tight_;
  }

  bool found() const { return best_ >= 0; }
  int64_t offset() const { return best_ >= 0 ? best_ : end_; }

 private:
  const int64_t size_;
  const bool tight_;
  int64_t end_ = 0;  // of all so far
  int64_t best_ = -1, least_ = INT64_MAX;
};

class Shelves {
 public:
  explicit Shelves(const std::vector<Item>& items);

  void insert(uint32_t item, int64_t offset);
  void erase(uint32_t item, int64_t offset);

  // Those alive with the item; holds until the next call.
  std::span<const Placed> alive_with(const Item& item);
  // Where the item fits lowest, or with `tight` in the smallest gap.
  int64_t fit(const Item& item, bool tight);

  int64_t looked() const { return looked_; }  // at placed buffers so far: the measure of work

 private:
  using Column = std::vector<Placed>;  // by rising offset

  Column& column_of(const Item& item);
  void merge_runs();

  const std::vector<Item>& items_;
  int lowest_ = 0;  // level
  std::vector<std::vector<Column>> levels_;
  std::vector<Placed> near_, merged_;  // of one call; kept for their memory
  std::vector<size_t> runs_;           // where each run by rising offset ends in `near_`
  int64_t looked_ = 0;
};

}  // namespace irplan::packing
