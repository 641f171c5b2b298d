#include <algorithm>
#include <cstddef>
#include <functional>
#include <queue>
#include <utility>

#include "passes/memory/pack_parts.h"

namespace irplan::packing {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr size_t kLeaf = 8;  // buffers that are looked at one by one

// Buffers that are not placed yet, by rank: who is first among those that live within given sections? A tree
// halves them by begin and end in turn and knows the first of each half.
class Waiting {
 public:
  Waiting(const std::vector<Item>& items, const std::vector<uint32_t>& order) : buffers_(items.size()) {
    for (uint32_t rank = 0; rank < order.size(); ++rank) {
      const Item& item = items[order[rank]];
      buffers_[rank] = {item.first, item.last, rank};
    }
    size_t leaves = 1;
    while (leaves * kLeaf < buffers_.size()) leaves *= 2;
    nodes_.resize(2 * leaves);
    first_leaf_ = leaves;
    leaf_of_.resize(buffers_.size());
    if (!buffers_.empty()) build(1, 0, buffers_.size(), true);
  }

  // The rank of the first that lives in [from, to) alone; kNone where there is none.
  uint32_t first_within(int32_t from, int32_t to) const {
    uint32_t best = kNone;
    look(1, from, to, best);
    return best;
  }

  void remove(uint32_t rank) {
    size_t n = leaf_of_[rank];
    Node& leaf = nodes_[n];
    leaf.best = kNone;
    for (size_t i = leaf.begin; i < leaf.end; ++i) {
      if (buffers_[i].rank == rank) buffers_[i].gone = true;
      if (!buffers_[i].gone) leaf.best = std::min(leaf.best, buffers_[i].rank);
    }
    for (n /= 2; n > 0; n /= 2) nodes_[n].best = std::min(nodes_[2 * n].best, nodes_[2 * n + 1].best);
  }

 private:
  struct Buffer {
    int32_t first = 0, last = 0;
    uint32_t rank = 0;
    bool gone = false;
  };
  struct Node {
    uint32_t best = kNone;                                                 // of those not removed
    int32_t begin_least = 0, begin_most = 0, end_least = 0, end_most = 0;  // of all their lives
    size_t begin = 0, end = 0;                                             // of its buffers
  };

  void build(size_t n, size_t begin, size_t end, bool by_begin) {
    Node& node = nodes_[n];
    node = {kNone, INT32_MAX, 0, INT32_MAX, 0, begin, end};
    for (size_t i = begin; i < end; ++i) {
      const Buffer& b = buffers_[i];
      node.best = std::min(node.best, b.rank);
      node.begin_least = std::min(node.begin_least, b.first),
      node.begin_most = std::max(node.begin_most, b.first);
      node.end_least = std::min(node.end_least, b.last), node.end_most = std::max(node.end_most, b.last);
    }
    if (n >= first_leaf_) {
      for (size_t i = begin; i < end; ++i) leaf_of_[buffers_[i].rank] = n;
      return;
    }
    const size_t middle = begin + (end - begin) / 2;
    const auto at = [&](size_t i) { return buffers_.begin() + static_cast<std::ptrdiff_t>(i); };
    std::nth_element(at(begin), at(middle), at(end), [&](const Buffer& a, const Buffer& b) {
      const int32_t x = by_begin ? a.first : a.last, y = by_begin ? b.first : b.last;
      return x != y ? x < y : a.rank < b.rank;
    });
    build(2 * n, begin, middle, !by_begin);
    build(2 * n + 1, middle, end, !by_begin);
  }

  void look(size_t n, int32_t from, int32_t to, uint32_t& best) const {
    const Node& node = nodes_[n];
    if (node.best >= best || node.begin_most < from || node.end_least > to) return;
    if (node.begin_least >= from && node.end_most <= to) {
      best = node.best;
    } else if (n < first_leaf_) {
      const bool right = nodes_[2 * n + 1].best < nodes_[2 * n].best;  // rather finds the first at once
      look(2 * n + right, from, to, best);
      look(2 * n + !right, from, to, best);
    } else {
      for (size_t i = node.begin; i < node.end; ++i) {
        const Buffer& b = buffers_[i];
        if (!b.gone && b.rank < best && b.first >= from && b.last <= to) best = b.rank;
      }
    }
  }

  std::vector<Buffer> buffers_;  // in the order of the leaves
  std::vector<Node> nodes_;      // of node n: 2n and 2n + 1
  std::vector<size_t> leaf_of_;  // by rank
  size_t first_leaf_ = 1;
};

// The height that is filled so far, over sections: level stretches of it, the lowest first.
class Skyline {
 public:
  explicit Skyline(int32_t sections)
      : sections_(sections),
        end_(static_cast<size_t>(sections), -1),
        begin_(end_.size() + 1, -1),
        height_(end_.size()) {
    set(0, sections, 0);
  }

  struct Stretch {
    int32_t begin, end;
    int64_t height;
  };

  Stretch lowest() {
    for (;; lows_.pop()) {
      const auto [height, begin] = lows_.top();
      if (end_[static_cast<size_t>(begin)] >= 0 && height_[static_cast<size_t>(begin)] == height)
        return {begin, end_[static_cast<size_t>(begin)], height};
    }
  }

  // Fills a part of a stretch up to a height.
  void raise(const Stretch& s, int32_t begin, int32_t end, int64_t height) {
    end_[static_cast<size_t>(s.begin)] = -1;
    if (s.begin < begin) set(s.begin, begin, s.height);
    if (end < s.end) set(end, s.end, s.height);
    if (begin == s.begin && begin > 0 && height_before(begin) == height) {
      begin = begin_[static_cast<size_t>(begin)];
      end_[static_cast<size_t>(begin)] = -1;
    }
    if (end == s.end && end < sections_ && height_[static_cast<size_t>(end)] == height) {
      const int32_t next = end_[static_cast<size_t>(end)];
      end_[static_cast<size_t>(end)] = -1;
      end = next;
    }
    set(begin, end, height);
  }

  // Nothing fits there: up to the lower side.
  void level(const Stretch& s) {
    int64_t side = INT64_MAX;
    if (s.begin > 0) side = height_before(s.begin);
    if (s.end < sections_) side = std::min(side, height_[static_cast<size_t>(s.end)]);
    raise(s, s.begin, s.end, side);
  }

 private:
  int64_t height_before(int32_t begin) const {
    return height_[static_cast<size_t>(begin_[static_cast<size_t>(begin)])];
  }

  void set(int32_t begin, int32_t end, int64_t height) {
    end_[static_cast<size_t>(begin)] = end;
    begin_[static_cast<size_t>(end)] = begin;
    height_[static_cast<size_t>(begin)] = height;
    lows_.emplace(height, begin);
  }

  using Low = std::pair<int64_t, int32_t>;  // height, begin
  const int32_t sections_;
  std::vector<int32_t> end_, begin_;  // of the stretch that begins, that ends at a section; end -1: none does
  std::vector<int64_t> height_;       // of the stretch that begins at a section
  std::priority_queue<Low, std::vector<Low>, std::greater<>> lows_;  // of stretches, some of them gone
};

}  // namespace

Offsets skyline(const std::vector<Item>& items, const std::vector<uint32_t>& order, int64_t ceiling) {
  int32_t sections = 1;
  for (const Item& item : items) sections = std::max(sections, item.last);
  Waiting waiting(items, order);
  Skyline line(sections);
  Offsets offsets(items.size(), 0);
  for (size_t placed = 0; placed < items.size();) {
    const Skyline::Stretch lowest = line.lowest();
    const uint32_t rank = waiting.first_within(lowest.begin, lowest.end);
    if (rank == kNone) {
      line.level(lowest);
      continue;
    }
    waiting.remove(rank);
    const uint32_t i = order[rank];
    offsets[i] = lowest.height;
    if (lowest.height + items[i].size >= ceiling) return {};
    line.raise(lowest, items[i].first, items[i].last, lowest.height + items[i].size);
    ++placed;
  }
  return offsets;
}

}  // namespace irplan::packing
