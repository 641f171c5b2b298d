// Places buffers that need more than a place: alignments, fixed offsets, and gaps in which others may have
// their bytes.
//
// In a lowest placement with the least sum of offsets, every buffer lies at the lowest offset that those
// below it and the fixed ones leave. Placing buffers so, in the order of their offsets, therefore finds one:
// that is what the search does. Gaps that keep a part of the buffer break the argument; then nothing is
// proven by it.
#include <algorithm>
#include <numeric>

#include "base/sort.h"
#include "irplan/pack.h"
#include "passes/memory/pack_parts.h"

namespace irplan {
namespace {

constexpr int64_t kMostAlignment = int64_t{1} << 40;  // to which sizes are rounded up for the other packer
constexpr size_t kFewBuffers = 3000;                  // that are placed in every sequence
constexpr int64_t kNodeWork = 600;                    // pairs looked at, for each node of the limit

// Bytes [from, to) of a buffer in the steps [lower, upper).
struct Slab {
  int64_t lower = 0, upper = 0, from = 0, to = 0;
};

int64_t aligned_offset(int64_t offset, int64_t alignment) {
  const int64_t rest = offset % alignment;
  return rest == 0 ? offset : offset + (alignment - rest);
}

class NeedsPacker {
 public:
  NeedsPacker(const PackTable& table, const PackOptions& options) : table_(table), options_(options) {
    const size_t count = table.buffers.size();
    slabs_.resize(count);
    result_.offsets.assign(count, 0);
    for (uint32_t i = 0; i < count; ++i) {
      cut(i);
      if (table.needs[i].offset) {
        result_.offsets[i] = *table.needs[i].offset;
        if (!slabs_[i].empty()) fixed_.push_back(i);
      } else if (!slabs_[i].empty()) {
        free_.push_back(i);
      }
    }
  }

  PackResult run() {
    find_bound();
    if (find_clash()) return std::move(result_);
    result_.height = INT64_MAX;
    if (!as_usual()) {
      greedy();
      search();
    }
    result_.proven = result_.proven || result_.height <= result_.bound;
    if (options_.capacity) result_.impossible = result_.impossible || *options_.capacity < result_.bound;
    return std::move(result_);
  }

 private:
  // The buffer without its gaps.
  void cut(uint32_t i) {
    const PackBuffer& b = table_.buffers[i];
    if (b.size == 0 || b.lower >= b.upper) return;
    int64_t at = b.lower;
    for (const PackGap& gap : table_.needs[i].gaps) {
      if (at < gap.lower) slabs_[i].push_back({at, gap.lower, 0, b.size});
      if (gap.kept_lower < gap.kept_upper) {
        slabs_[i].push_back({gap.lower, gap.upper, gap.kept_lower, gap.kept_upper});
        partial_ = true;
      }
      at = gap.upper;
    }
    if (at < b.upper) slabs_[i].push_back({at, b.upper, 0, b.size});
  }

  void find_bound() {
    std::vector<std::pair<int64_t, int64_t>> changes;  // step, bytes; what dies before what is born
    for (uint32_t i = 0; i < slabs_.size(); ++i) {
      for (const Slab& s : slabs_[i]) {
        changes.emplace_back(s.lower, s.to - s.from);
        changes.emplace_back(s.upper, s.from - s.to);
      }
      // A buffer takes its size from its offset on, gaps or not.
      if (!slabs_[i].empty())
        result_.bound = std::max(result_.bound, result_.offsets[i] + table_.buffers[i].size);
    }
    sort_range(changes.begin(), changes.end());
    int64_t sum = 0;
    for (const auto& [step, bytes] : changes) result_.bound = std::max(result_.bound, sum += bytes);
  }

  bool collide(uint32_t i, uint32_t j) const {
    for (const Slab& a : slabs_[i]) {
      for (const Slab& b : slabs_[j]) {
        const int64_t x = result_.offsets[i], y = result_.offsets[j];
        if (a.lower < b.upper && b.lower < a.upper && x + a.from < y + b.to && y + b.from < x + a.to)
          return true;
      }
    }
    return false;
  }

  bool find_clash() {
    for (size_t k = 0; k < fixed_.size(); ++k) {
      for (size_t l = 0; l < k; ++l) {
        if (!collide(fixed_[l], fixed_[k])) continue;
        result_.clash = std::pair(fixed_[l], fixed_[k]);
        result_.impossible = true;
        result_.height = height_of(result_.offsets);
        return true;
      }
    }
    return false;
  }

  int64_t height_of(const std::vector<int64_t>& offsets) const {
    int64_t height = 0;
    for (uint32_t i = 0; i < offsets.size(); ++i) {
      if (!slabs_[i].empty()) height = std::max(height, offsets[i] + table_.buffers[i].size);
    }
    return height;
  }

  void take(const std::vector<int64_t>& offsets) {
    const int64_t height = height_of(offsets);
    if (height < result_.height) result_.height = height, result_.offsets = offsets;
  }

  // The packer of plain buffers, where nothing is fixed: gaps are not used, and sizes rounded up to a common
  // alignment. True where that is all that is asked, its proof included.
  bool as_usual() {
    if (!fixed_.empty()) return false;
    int64_t unit = 1, sizes = 0;
    bool gaps = false;
    for (const uint32_t i : free_) {
      unit = std::lcm(unit, std::min(table_.needs[i].alignment, kMostAlignment));
      if (unit > kMostAlignment) return false;
      sizes = std::gcd(sizes, table_.buffers[i].size);
      gaps |= !table_.needs[i].gaps.empty();
    }
    const bool whole = sizes % unit == 0;
    std::vector<PackBuffer> rounded = table_.buffers;
    for (PackBuffer& b : rounded) {
      if (b.size > INT64_MAX / 8) return false;
      b.size = aligned_offset(b.size, unit);
    }
    PackOptions options = options_;
    if (!whole || gaps) options.capacity.reset(), options.decide = false;
    PackResult found = pack(rounded, options);
    if (whole && !gaps) return result_ = std::move(found), true;
    result_.nodes = found.nodes;
    result_.stopped = found.stopped;
    take(found.offsets);
    return false;
  }

  // The lowest offset that the placed buffers leave for one.
  int64_t lowest(uint32_t j, const std::vector<uint32_t>& placed, const std::vector<int64_t>& offsets) {
    taken_.clear();
    for (const uint32_t i : placed) {
      ++work_;
      for (const Slab& a : slabs_[i]) {
        for (const Slab& b : slabs_[j]) {
          if (a.lower < b.upper && b.lower < a.upper)
            taken_.emplace_back(offsets[i] + a.from - b.to, offsets[i] + a.to - b.from);
        }
      }
    }
    sort_range(taken_.begin(), taken_.end());
    const int64_t alignment = table_.needs[j].alignment;
    int64_t at = 0;
    for (const auto& [below, above] : taken_) {
      if (at <= below) break;
      if (at < above) at = aligned_offset(above, alignment);
    }
    return at;
  }

  void greedy() {
    const auto life = [&](uint32_t i) { return table_.buffers[i].upper - table_.buffers[i].lower; };
    const auto size = [&](uint32_t i) { return table_.buffers[i].size; };
    const auto area = [&](uint32_t i) { return static_cast<double>(life(i)) * static_cast<double>(size(i)); };
    const auto alignment = [&](uint32_t i) { return table_.needs[i].alignment; };
    const auto by = [&](auto key) {
      std::vector<uint32_t> order = free_;
      sort_range(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return key(a) > key(b); });
      place(order);
    };
    by(area);
    if (free_.size() > kFewBuffers) return;
    by(size);
    by(life);
    by([&](uint32_t i) { return std::pair(alignment(i), size(i)); });
    by([&](uint32_t i) { return std::pair(-alignment(i), size(i)); });
    by([&](uint32_t i) { return std::pair(-table_.buffers[i].lower, size(i)); });
  }

  void place(const std::vector<uint32_t>& order) {
    std::vector<int64_t> offsets = result_.offsets;
    std::vector<uint32_t> placed = fixed_;
    for (const uint32_t j : order) {
      offsets[j] = lowest(j, placed, offsets);
      placed.push_back(j);
    }
    take(offsets);
  }

  void search() {
    const bool asked = options_.capacity && *options_.capacity >= result_.bound;
    if (result_.height <= result_.bound || (asked && result_.height <= *options_.capacity)) return;
    if (options_.strength == Strength::Portfolio || free_.size() > kMostPackSearched) return;
    // Below it a placement is sought: what fits, or what is lower than the best.
    ceiling_ = asked ? *options_.capacity + 1 : result_.height;
    work_ = 0;
    most_ = options_.strength == Strength::Exact
                ? INT64_MAX
                : std::min(options_.node_limit, INT64_MAX / kNodeWork) * kNodeWork;
    std::vector<uint32_t> placed = fixed_;
    std::vector<int64_t> offsets = result_.offsets;
    std::vector<bool> done(table_.buffers.size(), false);
    const bool ended = deeper(placed, offsets, done, free_.size(), 0, 0);
    result_.strength = ended ? Strength::Exact : Strength::Limited;
    if (!ended || partial_) return;
    if (asked)
      result_.impossible = result_.height > *options_.capacity;
    else
      result_.proven = true;
  }

  // Every way to place the rest no lower than `last`; false where the work is used up.
  bool deeper(std::vector<uint32_t>& placed, std::vector<int64_t>& offsets, std::vector<bool>& done,
              size_t left, int64_t last, uint32_t last_index) {
    if (left == 0) {
      take(offsets);
      ceiling_ = std::min(ceiling_, result_.height);
      return true;
    }
    if (++result_.nodes % 1024 == 0 && options_.progress &&
        !options_.progress({result_.height, ceiling_, result_.nodes}))
      result_.stopped = true;
    if (work_ > most_ || result_.stopped) return false;
    std::vector<std::pair<int64_t, uint32_t>> next;
    for (const uint32_t j : free_) {
      if (done[j]) continue;
      const int64_t at = lowest(j, placed, offsets);
      if (at + table_.buffers[j].size >= ceiling_) return true;  // it only rises further down
      if (at > last || (at == last && j >= last_index)) next.emplace_back(at, j);
    }
    sort_range(next.begin(), next.end());
    for (const auto& [at, j] : next) {
      if (at + table_.buffers[j].size >= ceiling_) continue;
      placed.push_back(j);
      offsets[j] = at;
      done[j] = true;
      const bool ended = deeper(placed, offsets, done, left - 1, at, j);
      placed.pop_back();
      done[j] = false;
      if (!ended) return false;
      if (result_.height <= result_.bound) return true;
      if (options_.capacity && result_.height <= *options_.capacity) return true;
    }
    return true;
  }

  const PackTable& table_;
  const PackOptions& options_;
  std::vector<std::vector<Slab>> slabs_;  // by buffer; none: nowhere alive
  std::vector<uint32_t> fixed_, free_;
  std::vector<std::pair<int64_t, int64_t>> taken_;  // offsets strictly between them are not free
  bool partial_ = false;                            // a gap keeps a part of its buffer
  int64_t work_ = 0, most_ = 0, ceiling_ = 0;
  PackResult result_;
};

}  // namespace

PackResult pack(const PackTable& table, const PackOptions& options) {
  if (table.needs.empty()) return pack(table.buffers, options);
  return NeedsPacker(table, options).run();
}

PackVerdict verdict_of(const PackResult& result, std::optional<int64_t> capacity) {
  if (result.clash) return PackVerdict::Infeasible;
  if (capacity && result.height > *capacity)
    return result.impossible || result.proven ? PackVerdict::Infeasible : PackVerdict::Undecided;
  if (result.proven) return PackVerdict::Optimal;
  return capacity ? PackVerdict::Feasible : PackVerdict::Undecided;
}

const char* name(PackVerdict verdict) {
  constexpr const char* kVerdicts[] = {"optimal", "feasible", "infeasible", "undecided"};
  return kVerdicts[static_cast<size_t>(verdict)];
}

}  // namespace irplan
