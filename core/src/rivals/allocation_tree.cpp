// A tree of splits in time and in space, made at the sizes of an example and evaluated at any others.
//
// pytorch/pytorch, torch/_inductor/codegen/memory_planning.py TemporalSplit, SpatialSplit, AllocationPool and
// MemoryPlanner (release 2.13), config memory_planning with memory_pool "combined". The largest buffer at the
// example comes first, of equal ones that which lives longest.
//
//   in time    |  a  |   b   |       its parts are never alive together; as large as the largest
//   in space   |    right    |       one part above the other; the left one rounded up
//              |    left     |
//
// A buffer goes into the part of a split in time that is alive with it, if that is a split in space, and
// there to the left or else to the right; where nothing is alive with it, it becomes a part itself, with
// empty space above it where the example leaves some. What fits nowhere stands above the whole tree.
#include <algorithm>
#include <deque>
#include <numeric>

#include "base/sort.h"
#include "rivals/rivals.h"

namespace irplan::rivals {
namespace {

using Index = uint32_t;  // of a buffer or a node

// When something is alive: sorted spans that do not touch.
class Lives {
 public:
  void add(uint32_t begin, uint32_t end) {
    const auto first = std::lower_bound(spans_.begin(), spans_.end(), begin,
                                        [](const Span& s, uint32_t step) { return s.end < step; });
    auto last = first;
    for (; last != spans_.end() && last->begin <= end; ++last) {
      begin = std::min(begin, last->begin);
      end = std::max(end, last->end);
    }
    const auto at = spans_.erase(first, last);
    spans_.insert(at, Span{begin, end});
  }
  void add(const Lives& other) {
    for (const Span& s : other.spans_) add(s.begin, s.end);
  }
  bool meet(uint32_t begin, uint32_t end) const {
    const auto at = std::upper_bound(spans_.begin(), spans_.end(), begin,
                                     [](uint32_t step, const Span& s) { return step < s.end; });
    return at != spans_.end() && at->begin < end;
  }

 private:
  struct Span {
    uint32_t begin, end;
  };
  std::vector<Span> spans_;
};

class Tree {
 public:
  Tree(const Problem& problem, Sizes example) : problem_(problem), example_(std::move(example)) {
    const std::vector<Buffer>& buffers = problem.buffers;
    std::vector<Index> sequence(buffers.size());
    std::iota(sequence.begin(), sequence.end(), 0);
    const auto life = [&](Index b) { return buffers[b].end - buffers[b].begin; };
    sort_range(sequence.begin(), sequence.end(), [&](Index a, Index b) {
      return example_[a] != example_[b] ? example_[a] > example_[b] : life(a) > life(b);
    });
    for (const Index b : sequence) {
      if (root_ == kAbsent) {
        root_ = in_time({block(b)});
      } else if (!allocate(root_, b, true)) {
        root_ = in_time({in_space(root_, in_time({block(b)}))});
      }
    }
  }

  Placement at(const Sizes& sizes) const {
    Placement out;
    out.offsets.assign(sizes.size(), 0);
    if (root_ == kAbsent) return out;
    Sizes measured(nodes_.size(), 0);
    out.bytes = measure_at(root_, sizes, measured);
    set_offsets(root_, 0, measured, out.offsets);
    return out;
  }

 private:
  enum class Kind : uint8_t { Block, Empty, InTime, InSpace };
  struct Node {
    Kind kind = Kind::Empty;
    Index buffer = 0;          // of a block
    std::vector<Index> parts;  // in space: left, right
    int64_t example = 0;       // bytes there
    Lives lives;
  };

  Index add(Node node) {
    nodes_.push_back(std::move(node));
    return static_cast<Index>(nodes_.size() - 1);
  }
  Index block(Index b) {
    Node node{Kind::Block, b, {}, example_[b], {}};
    node.lives.add(problem_.buffers[b].begin, problem_.buffers[b].end);
    return add(std::move(node));
  }
  Index empty(int64_t bytes) { return add({Kind::Empty, 0, {}, bytes, {}}); }
  Index in_time(std::vector<Index> parts) {
    Node node{Kind::InTime, 0, std::move(parts), 0, {}};
    for (const Index part : node.parts) node.lives.add(nodes_[part].lives);
    const Index index = add(std::move(node));
    measure(index);
    return index;
  }
  Index in_space(Index left, Index right) {
    Node node{Kind::InSpace, 0, {left, right}, 0, nodes_[left].lives};
    node.lives.add(nodes_[right].lives);
    const Index index = add(std::move(node));
    measure(index);
    return index;
  }
  // A part with empty space above it.
  Index with_space(Index part, int64_t bytes) {
    const Index left = in_time({part}), right = in_time({empty(bytes)});
    return in_space(left, right);
  }

  void measure(Index index) {
    Node& node = nodes_[index];
    if (node.kind == Kind::InSpace) {
      node.example = align_up(nodes_[node.parts[0]].example, problem_.align) + nodes_[node.parts[1]].example;
    } else if (node.kind == Kind::InTime) {
      node.example = 0;
      for (const Index part : node.parts) node.example = std::max(node.example, nodes_[part].example);
    }
  }

  // `last`: nothing comes after it in space, so it may grow.
  bool allocate(Index index, Index b, bool last) {
    bool done = false;
    if (nodes_[index].kind == Kind::InSpace) {
      const Index left = nodes_[index].parts[0], right = nodes_[index].parts[1];
      done = allocate(left, b, false) || allocate(right, b, last);
    } else if (nodes_[index].kind == Kind::InTime) {
      done = allocate_in_time(index, b, last);
    }
    if (!done) return false;
    measure(index);
    nodes_[index].lives.add(problem_.buffers[b].begin, problem_.buffers[b].end);
    return true;
  }

  bool allocate_in_time(Index index, Index b, bool last) {
    const int64_t slot = nodes_[index].example, bytes = example_[b];
    if (!last && bytes > slot) return false;
    Index alive = kAbsent;
    for (const Index part : nodes_[index].parts) {
      if (!nodes_[part].lives.meet(problem_.buffers[b].begin, problem_.buffers[b].end)) continue;
      if (alive != kAbsent) return false;
      alive = part;
    }
    if (alive != kAbsent) return allocate(alive, b, last);
    std::vector<Index> parts = nodes_[index].parts;
    if (parts.size() == 1 && nodes_[parts[0]].kind == Kind::Empty) parts.clear();
    Index fresh = block(b);
    if (slot > bytes) fresh = with_space(fresh, slot - bytes);
    if (slot < bytes) {
      for (Index& part : parts) part = with_space(part, bytes - slot);
    }
    parts.push_back(fresh);
    nodes_[index].parts = std::move(parts);
    return true;
  }

  // ---- at other sizes: space that stayed empty is nothing

  bool stayed_empty(Index index) const {
    const Node& node = nodes_[index];
    return node.kind == Kind::InTime && node.parts.size() == 1 && nodes_[node.parts[0]].kind == Kind::Empty;
  }

  int64_t measure_at(Index index, const Sizes& sizes, Sizes& measured) const {
    const Node& node = nodes_[index];
    int64_t& bytes = measured[index];
    if (node.kind == Kind::Block) bytes = sizes[node.buffer];
    if (node.kind == Kind::InTime) {
      for (const Index part : node.parts) bytes = std::max(bytes, measure_at(part, sizes, measured));
    }
    if (node.kind == Kind::InSpace) {
      bytes = measure_at(node.parts[0], sizes, measured);
      if (!stayed_empty(node.parts[1]))
        bytes = align_up(bytes, problem_.align) + measure_at(node.parts[1], sizes, measured);
    }
    return bytes;
  }

  void set_offsets(Index index, int64_t at, const Sizes& measured, std::vector<int64_t>& offsets) const {
    const Node& node = nodes_[index];
    if (node.kind == Kind::Block) offsets[node.buffer] = at;
    for (size_t i = 0; i < node.parts.size(); ++i) {
      const bool right = node.kind == Kind::InSpace && i == 1;
      set_offsets(node.parts[i], right ? at + align_up(measured[node.parts[0]], problem_.align) : at,
                  measured, offsets);
    }
  }

  const Problem& problem_;
  Sizes example_;
  std::deque<Node> nodes_;
  Index root_ = kAbsent;
};

}  // namespace

Placing allocation_tree(const Problem& problem, const Binding& hint) {
  auto example = sizes_at(problem, hint);
  if (!example) return always(std::nullopt);
  const auto tree = std::make_shared<Tree>(problem, std::move(*example));
  return [tree, &problem](const Binding& binding) -> std::optional<Placement> {
    const auto sizes = sizes_at(problem, binding);
    if (!sizes) return std::nullopt;
    return tree->at(*sizes);
  };
}

}  // namespace irplan::rivals
