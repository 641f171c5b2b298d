// The bytes of buffers, parted as windows part them, and what was written last in each part.
//
//     buffer [ a | b | c ]      a, b, c: parts of the whole along one axis, one behind the other: a chain
//            [ d |   e   ]      parts of b: another chain below it
//
// Two parts are disjoint where they, or parts that hold them, are links of one chain; or where their
// intervals on one axis are provably so. Everything else is taken to overlap. Time is an index of ops, one
// past the writer.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "plan/plan.h"
#include "plan/proof/facts.h"

namespace irplan::proof {

class Regions {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // The whole of a buffer, which is the region of the buffer's index.
  void start(size_t buffers);
  // The part [start, end) of an axis of a region, seen through axes that `frame` tells from others; the same
  // part is the same region.
  uint32_t part(uint32_t of, const std::vector<uint32_t>& frame, int axis, Expr start, Expr end);
  bool is_whole(uint32_t region) const { return regions_[region].parent == kNone; }

  void write(uint32_t region, uint32_t value, uint32_t time);
  // A value that was written after `time` where the region lies, or kNone. Intervals are told apart by
  // `facts`.
  uint32_t written_since(uint32_t region, uint32_t time, Facts& facts);
  // Steps that questions took, and as many as a plan of such a size is worth.
  size_t work() const { return work_; }
  size_t most_work() const { return kWorkEach * regions_.size() + kWork; }

 private:
  static constexpr size_t kWorkEach = 64, kWork = 20'000'000;

  struct Region {
    uint32_t parent = kNone, chain = kNone;
    Expr start, end;                         // on the axis of its group
    uint32_t time = 0, value = kNone;        // the last write of the whole region
    uint32_t time_below = 0, below = kNone;  // and of a part of it
    std::vector<uint32_t> groups;
  };
  struct Chain {
    uint32_t group = 0;
    std::vector<uint32_t> links;
    uint32_t time = 0, value = kNone;
  };
  // Parts of one region on one axis, seen through one frame.
  struct Group {
    std::vector<uint32_t> chains;
    std::unordered_map<uint64_t, uint32_t> known;             // by start and end: a region
    std::unordered_map<uint32_t, uint32_t> by_start, by_end;  // chains, by an expression's index
    uint32_t time = 0, value = kNone;
  };
  uint32_t among_siblings(uint32_t region, uint32_t time, Facts& facts);

  std::vector<Region> regions_;
  std::vector<Chain> chains_;
  std::vector<Group> groups_;
  std::map<std::vector<uint32_t>, uint32_t> group_of_;  // region, axis, frame
  size_t work_ = 0;
};

}  // namespace irplan::proof
