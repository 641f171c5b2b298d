// Static placement with every dim at its upper bound: what is held does not depend on the sizes that come.
//
// A pool of storages: apache/tvm, src/relax/transform/static_plan_block_memory.cc TokenAllocator1D (at commit
// 01cb97c8). In the order of the program a buffer takes a free storage of its dtype: the smallest that is
// large enough, up to 16 times its size, else the largest that is smaller, at least a 16th, which grows; else
// a new one. Where a dim has no upper bound, sizes stay symbolic, and a free storage of provably the same
// size is taken.
//
// Shared objects: pytorch/executorch, exir/memory_planning.py greedy and pick_shared_obj (release 1.5.1). The
// largest first: at the start of the first object in which nothing is alive with it; else in the first object
// where it fits behind all that are; else it is an object of its own. An unbounded dim is refused.
#include <algorithm>
#include <map>
#include <numeric>

#include "base/sort.h"
#include "rivals/rivals.h"

namespace irplan::rivals {
namespace {

using Index = uint32_t;  // of a buffer

constexpr int64_t kMatchRange = 16;  // how much larger or smaller a storage may be

// ---- a pool of storages

struct Storage {
  Expr bytes;         // of a symbolic one
  int64_t fixed = 0;  // of another
  DType dtype = DType::I8;
  bool is_free = false;
};

class Pool {
 public:
  explicit Pool(const Problem& problem) : problem_(problem), sizes_(at_upper_bounds(problem)) {}

  // False where a size overflows.
  bool run() {
    for (const Expr bytes : sizes_) {
      if (bytes.overflowed() || (bytes.is_constant() && bytes.constant() > kMostBytes)) return false;
    }
    for (Index b = 0; b < sizes_.size(); ++b) {
      release_until(problem_.buffers[b].begin);
      const uint32_t storage = request(b);
      storages_[storage].is_free = false;
      of_.push_back(storage);
      ends_.emplace(problem_.buffers[b].end, storage);
    }
    return true;
  }

  std::optional<Placement> at(const Binding& binding) const {
    Evaluator value(*problem_.dims, binding);
    std::vector<int64_t> start;
    int64_t top = 0;
    for (const Storage& s : storages_) {
      const auto bytes = s.bytes ? value(s.bytes) : s.fixed;
      if (!bytes || *bytes < 0 || *bytes > kMostBytes || top > INT64_MAX / 2) return std::nullopt;
      start.push_back(top);
      top += align_up(*bytes, problem_.align);
    }
    Placement out;
    out.bytes = top;
    for (const uint32_t storage : of_) out.offsets.push_back(start[storage]);
    return out;
  }

 private:
  static constexpr int64_t kMostBytes = INT64_MAX / 64;

  void release_until(uint32_t step) {
    while (!ends_.empty() && ends_.begin()->first <= step) {
      storages_[ends_.begin()->second].is_free = true;
      ends_.erase(ends_.begin());
    }
  }

  uint32_t request(Index b) {
    const DType dtype = problem_.buffers[b].dtype;
    const auto found =
        sizes_[b].is_constant() ? free_near(sizes_[b].constant(), dtype) : free_equal(sizes_[b], dtype);
    if (found) return *found;
    Storage fresh;
    fresh.dtype = dtype;
    if (sizes_[b].is_constant()) {
      fresh.fixed = sizes_[b].constant();
    } else {
      fresh.bytes = sizes_[b];
    }
    storages_.push_back(fresh);
    return static_cast<uint32_t>(storages_.size() - 1);
  }

  std::optional<uint32_t> free_equal(Expr bytes, DType dtype) const {
    for (uint32_t i = 0; i < storages_.size(); ++i) {
      const Storage& s = storages_[i];
      if (s.is_free && s.dtype == dtype && s.bytes && s.bytes == bytes) return i;
    }
    return std::nullopt;
  }

  std::optional<uint32_t> free_near(int64_t bytes, DType dtype) {
    std::optional<uint32_t> larger, smaller;
    for (uint32_t i = 0; i < storages_.size(); ++i) {
      const Storage& s = storages_[i];
      if (!s.is_free || s.dtype != dtype || s.bytes) continue;
      if (s.fixed >= bytes && s.fixed <= bytes * kMatchRange &&
          (!larger || s.fixed < storages_[*larger].fixed))
        larger = i;
      if (s.fixed < bytes && s.fixed >= bytes / kMatchRange &&
          (!smaller || s.fixed >= storages_[*smaller].fixed))
        smaller = i;
    }
    if (larger) return larger;
    if (smaller) storages_[*smaller].fixed = bytes;
    return smaller;
  }

  const Problem& problem_;
  std::vector<Expr> sizes_;
  std::vector<Storage> storages_;
  std::vector<uint32_t> of_;                // by buffer
  std::multimap<uint32_t, uint32_t> ends_;  // storages in use, by the step at which they are free
};

// ---- shared objects

struct Object {
  int64_t bytes = 0, start = 0;
  std::vector<std::pair<int64_t, Index>> inside;  // offsets from its start
};

std::optional<Placement> objects_at(const Problem& problem, const Sizes& sizes) {
  std::vector<Index> sequence(sizes.size());
  std::iota(sequence.begin(), sequence.end(), 0);
  sort_range(sequence.begin(), sequence.end(), [&](Index a, Index b) { return sizes[a] > sizes[b]; });
  std::vector<Object> objects;
  // Behind everything in the object that is alive with the buffer; 0 where nothing is.
  const auto behind = [&](const Object& object, Index b) {
    int64_t top = 0;
    for (const auto& [offset, other] : object.inside) {
      if (meet(problem.buffers[other], problem.buffers[b]))
        top = std::max(top, offset + align_up(sizes[other], problem.align));
    }
    return top;
  };
  for (const Index b : sequence) {
    const int64_t bytes = align_up(sizes[b], problem.align);
    auto to =
        std::find_if(objects.begin(), objects.end(), [&](const Object& o) { return behind(o, b) == 0; });
    if (to == objects.end())
      to = std::find_if(objects.begin(), objects.end(),
                        [&](const Object& o) { return behind(o, b) + bytes <= o.bytes; });
    if (to == objects.end()) to = objects.insert(to, Object{bytes, 0, {}});
    to->inside.emplace_back(behind(*to, b), b);
  }
  Placement out;
  out.offsets.assign(sizes.size(), 0);
  for (const Object& object : objects) {
    for (const auto& [offset, b] : object.inside) out.offsets[b] = out.bytes + offset;
    out.bytes += object.bytes;
  }
  return out;
}

}  // namespace

Placing token_pool(const Problem& problem, const Binding&) {
  const auto pool = std::make_shared<Pool>(problem);
  if (!pool->run()) return always(std::nullopt);
  return [pool](const Binding& binding) { return pool->at(binding); };
}

Placing shared_objects(const Problem& problem, const Binding&) {
  Problem bounded = problem;
  const std::vector<Expr> bytes = at_upper_bounds(problem);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!bytes[i].is_constant()) return always(std::nullopt);
    bounded.buffers[i].bytes = bytes[i];
  }
  const auto sizes = sizes_at(bounded, Binding(problem.most.size(), 0));
  return always(sizes ? objects_at(bounded, *sizes) : std::nullopt);
}

}  // namespace irplan::rivals
