#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>

#include "base/sort.h"
#include "passes/memory/pack_parts.h"

namespace irplan::packing {
namespace {

// Orders in which buffers are tried, by falling total of the fullest section (T), life (W), area (A), end
// (U), or rising begin (l) and end (u).
constexpr const char* kOrders[] = {"TWA", "WAT", "TAW", "lTu", "UTW", "luT"};
constexpr int kOrderCount = static_cast<int>(std::size(kOrders));

constexpr uint64_t kFirstShake = 9'000'027;  // any number; some are luckier than others

constexpr int64_t kWatchedNodes = 4096;  // nodes from one question of the watch to the next

struct Order {
  const char* keys;
  uint64_t shake;  // 0: by the keys; else by the first one, times a factor that each buffer draws
};

// What the searches of one height share.
struct Problem {
  Problem(std::vector<Item> some, int32_t section_count, int64_t most)
      : items(std::move(some)),
        sections(section_count),
        capacity(most),
        total(items.size(), 0),
        kind(items.size()) {
    std::vector<int64_t> sums(static_cast<size_t>(sections), 0);
    for (const Item& item : items) {
      for (int32_t s = item.first; s < item.last; ++s) sums[static_cast<size_t>(s)] += item.size;
    }
    neighbours.resize(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      for (int32_t s = items[i].first; s < items[i].last; ++s)
        total[i] = std::max(total[i], sums[static_cast<size_t>(s)]);
      for (size_t j = 0; j < items.size(); ++j) {
        if (i != j && items[i].first < items[j].last && items[j].first < items[i].last)
          neighbours[i].push_back(static_cast<int32_t>(j));
      }
      kind[i] = static_cast<int32_t>(i);
      for (size_t j = 0; j < i && kind[i] == static_cast<int32_t>(i); ++j) {
        if (items[j].first == items[i].first && items[j].last == items[i].last &&
            items[j].size == items[i].size)
          kind[i] = static_cast<int32_t>(j);
      }
    }
  }

  const std::vector<Item> items;
  const int32_t sections;
  const int64_t capacity;
  std::vector<int64_t> total;  // by item: of the fullest section
  std::vector<int32_t> kind;   // by item: the first that is the same
  std::vector<std::vector<int32_t>> neighbours;
};

// Buffers are placed by rising offset, each on the highest end below it. In such a sequence
//   - a buffer that could lie wholly below the next offset must be placed before it,
//   - a buffer whose floor was passed over must still be lifted by a neighbour placed later,
//   - in each section, the lowest floor of what is left plus the sum of what is left must fit.
// Where no buffer that is left spans two sections, the sides are independent and searched one after the
// other.
// `Units` holds sums up to twice the capacity: the narrower, the more sections are looked at at once.
template <class Units>
class Search {
 public:
  Search(const Problem& problem, const Order& order, int64_t limit, const Watch& watch)
      : n_(static_cast<int32_t>(problem.items.size())),
        sections_(problem.sections),
        capacity_(static_cast<int32_t>(problem.capacity)),
        limit_(limit),
        watch_(watch) {
    arrange(problem, order);
    const auto sections = static_cast<size_t>(sections_);
    span_.assign(sections, 0);
    lowest_.assign(sections, 0);
    room_.assign(sections, static_cast<Units>(capacity_));
    for (int32_t i = 0; i < n_; ++i) enter(i, 1);
    floor_.assign(problem.items.size(), 0);
    offset_.assign(problem.items.size(), -1);
    low_.assign(problem.items.size(), 0);
    lifter_.assign(problem.items.size(), -1);
  }

  Verdict run(Offsets& offsets) {
    std::vector<int32_t> all(static_cast<size_t>(n_));
    std::iota(all.begin(), all.end(), 0);
    const Verdict verdict = raise(all, 0, sections_) ? solve(all) : Verdict::None;
    if (verdict == Verdict::Found) {
      offsets.assign(static_cast<size_t>(n_), 0);
      for (int32_t i = 0; i < n_; ++i)
        offsets[static_cast<size_t>(given_[static_cast<size_t>(i)])] = offset_[static_cast<size_t>(i)];
    }
    return verdict;
  }

  int64_t nodes() const { return nodes_; }

  bool stopped() {
    if (nodes_ % kWatchedNodes == 0 && watch_ && !watch_(nodes_)) stopped_ = true;
    return stopped_;
  }

 private:
  // Buffers in the order in which they are tried: by falling keys.
  void arrange(const Problem& problem, const Order& order) {
    const std::vector<Item>& items = problem.items;
    given_.resize(items.size());
    std::iota(given_.begin(), given_.end(), 0);
    const auto key = [&](int32_t i, char rule) -> int64_t {
      const Item& item = items[static_cast<size_t>(i)];
      const int64_t life = item.last - item.first;
      switch (rule) {
        case 'W': return life;
        case 'A': return life * item.size;
        case 'U': return item.last;
        case 'l': return -item.first;
        case 'u': return -item.last;
        default: return problem.total[static_cast<size_t>(i)];
      }
    };
    if (order.shake > 0) {
      std::vector<int64_t> shaken(items.size());
      for (int32_t i = 0; i < n_; ++i) {
        const auto draw =
            static_cast<int64_t>(mixed((order.shake + kFirstShake) << 32 | static_cast<uint32_t>(i)) % 1000);
        shaken[static_cast<size_t>(i)] =
            key(i, order.keys[0]) * (4000 + draw * (int64_t{1} << order.shake % 4));
      }
      sort_range(given_.begin(), given_.end(), [&](int32_t a, int32_t b) {
        return shaken[static_cast<size_t>(a)] > shaken[static_cast<size_t>(b)];
      });
    } else {
      sort_range(given_.begin(), given_.end(), [&](int32_t a, int32_t b) {
        for (const char* rule = order.keys; *rule; ++rule) {
          if (key(a, *rule) != key(b, *rule)) return key(a, *rule) > key(b, *rule);
        }
        return false;
      });
    }
    for (const int32_t i : given_) {
      const Item& item = items[static_cast<size_t>(i)];
      first_.push_back(item.first);
      last_.push_back(item.last);
      size_.push_back(static_cast<int32_t>(item.size));
    }
    std::vector<int32_t> rank(items.size()), latest(items.size(), -1);
    for (int32_t i = 0; i < n_; ++i) {
      rank[given_[i]] = i;
      int32_t& twin = latest[problem.kind[given_[i]]];
      twin_.push_back(twin);
      twin = i;
    }
    for (int32_t i = 0; i < n_; ++i) {
      neighbours_from_.push_back(neighbours_.size());
      for (const int32_t j : problem.neighbours[given_[i]]) neighbours_.push_back(rank[j]);
    }
    neighbours_from_.push_back(neighbours_.size());
  }

  std::span<const int32_t> neighbours(int32_t i) const {
    return {neighbours_.data() + neighbours_from_[i], neighbours_.data() + neighbours_from_[i + 1]};
  }

  void enter(int32_t i, int32_t sign) {
    const auto size = static_cast<Units>(sign * size_[i]);
    for (int32_t s = first_[i]; s < last_[i]; ++s) room_[s] = static_cast<Units>(room_[s] - size);
    for (int32_t s = first_[i]; s + 1 < last_[i]; ++s) span_[s] += sign;
  }

  // Whether what is left of a part can still fit above `base`, where the buffer `after` was placed: raises
  // `low_`, the least offset that each can still have, as far as simple reasons go. What held before `after`
  // was placed still holds, so that only what changed since is looked at.
  bool viable(std::span<const int32_t> part, int32_t base, int32_t after, int32_t begin, int32_t end) {
    // Who made the last try fail often makes this one fail as well.
    if (culprit_ >= 0 && offset_[culprit_] < 0 && first_[culprit_] >= begin && last_[culprit_] <= end &&
        low_of(culprit_, base, after) > capacity_ - size_[culprit_])
      return false;
    int32_t from = first_[after], to = last_[after];
    for (const int32_t j : part) {
      const int32_t low = low_of(j, base, after);
      if (low > capacity_ - size_[j]) {
        culprit_ = j;
        return false;
      }
      if (low == low_[j]) continue;
      low_[j] = static_cast<Units>(low);
      from = std::min(from, first_[j]), to = std::max(to, last_[j]);
    }
    return raise(part, from, to);
  }

  int32_t low_of(int32_t j, int32_t base, int32_t after) {
    const int32_t low = std::max<int32_t>(low_[j], floor_[j]);
    return passed(j, base, after) ? std::max(low, lifted(j, base, low)) : low;
  }

  // The least end of a neighbour that can still lift a buffer that was passed over, or something no larger
  // than `low` where it is; more than the capacity where there is none.
  int32_t lifted(int32_t j, int32_t base, int32_t low) {
    const int32_t roof = floor_[j] + size_[j];
    const auto end = [&](int32_t k) {
      const int32_t at = std::max({floor_[k], base, static_cast<int32_t>(low_[k])});
      return offset_[k] < 0 && at < roof ? at + size_[k] : INT32_MAX;
    };
    if (lifter_[j] >= 0 && end(lifter_[j]) <= low) return low;
    int32_t least = INT32_MAX;
    for (const int32_t k : neighbours(j)) {
      const int32_t to = end(k);
      if (to >= least) continue;
      least = to, lifter_[j] = k;
      if (least <= low) break;
    }
    return least;
  }

  // In each section of [from, to) some buffer comes first, and all that is left must fit above it: who cannot
  // be first lies above the lowest end of those who can.
  bool raise(std::span<const int32_t> part, int32_t from, int32_t to) {
    while (from < to) {
      find_late(part, from, to);
      if (late_.empty()) return true;
      find_lowest(part, from, to);
      // The next round looks where this one raised a buffer.
      const int32_t begin = from, end = to;
      from = INT32_MAX, to = 0;
      for (const int32_t j : late_) {
        const Units low = behind_others(j, begin, end);
        if (low > capacity_ - size_[j]) return false;
        if (low == low_[j]) continue;
        low_[j] = low;
        from = std::min(from, first_[j]), to = std::max(to, last_[j]);
      }
    }
    return true;
  }

  // Buffers that cannot be first somewhere in [from, to), which is narrowed to where they cannot.
  void find_late(std::span<const int32_t> part, int32_t& from, int32_t& to) {
    const Units* const room = room_.data();
    const Units least = *std::min_element(room + from, room + to);
    const int32_t begin = from, end = to;
    from = INT32_MAX, to = 0;
    late_.clear();
    for (const int32_t j : part) {
      const Units low = low_[j];
      if (low <= least) continue;
      int32_t s = std::max(first_[j], begin), last = std::min(last_[j], end);
      while (s < last && low <= room[s]) ++s;
      while (s < last && low <= room[last - 1]) --last;
      if (s >= last) continue;
      late_.push_back(j);
      from = std::min(from, s), to = std::max(to, last);
    }
  }

  // By section of [from, to): the lowest end of the buffers that can be first there.
  void find_lowest(std::span<const int32_t> part, int32_t from, int32_t to) {
    // Plain pointers, so that the loop over sections becomes vector code.
    const Units* const room = room_.data();
    Units* const lowest = lowest_.data();
    for (int32_t s = from; s < to; ++s) lowest[s] = kMost;
    for (const int32_t j : part) {
      const Units low = low_[j], end = static_cast<Units>(low + size_[j]);
      const int32_t last = std::min(last_[j], to);
      for (int32_t s = std::max(first_[j], from); s < last; ++s) {
        const Units first = low <= room[s] ? end : kMost;
        lowest[s] = first < lowest[s] ? first : lowest[s];
      }
    }
  }

  // The least offset of a buffer that lies above others wherever it cannot be first.
  Units behind_others(int32_t j, int32_t from, int32_t to) const {
    const Units* const room = room_.data();
    const Units* const lowest = lowest_.data();
    const Units before = low_[j];
    const int32_t last = std::min(last_[j], to);
    Units low = before;
    for (int32_t s = std::max(first_[j], from); s < last; ++s) {
      const Units behind = before > room[s] ? lowest[s] : Units{0};
      low = behind > low ? behind : low;
    }
    return low;
  }

  // Depth first, one level for each buffer that is placed. The levels are no calls: a browser's stack would
  // not hold as many as there are buffers.
  Verdict solve(std::span<const int32_t> all) {
    open(all, 0, -1);
    while (depth_ > 0) {
      Level& level = levels_[depth_ - 1];
      if (level.next == level.candidates.size()) {
        if (--depth_ > 0) take_back(levels_[depth_ - 1]);
        continue;
      }
      if (++nodes_ > limit_ || stopped()) return Verdict::Unknown;
      put(level);
      if (!split(level)) {
        take_back(level);
      } else if (!open_next()) {
        return Verdict::Found;
      }
    }
    return Verdict::None;
  }

  // A part of the buffers, of which some that may lie lowest are tried in turn; and what the one on trial
  // leaves, in parts that share no section and are solved one after the other.
  struct Level {
    std::span<const int32_t> part;
    int32_t base = 0, after = -1;  // where, and which, the last buffer was placed
    std::vector<int32_t> candidates;
    size_t next = 0;                                  // candidate to try
    std::vector<Units> lows;                          // by buffer of the part, before a trial
    std::vector<std::pair<int32_t, int32_t>> lifted;  // floors below those of the trial
    std::vector<int32_t> rest;                        // part after part
    std::vector<size_t> ends;                         // of the parts
    std::vector<int32_t> floors;                      // by buffer of the rest, where it has several parts
    size_t solved = 0;                                // parts
  };

  void open(std::span<const int32_t> part, int32_t base, int32_t after) {
    if (depth_ == levels_.size()) levels_.emplace_back();
    Level& level = levels_[depth_++];
    level.part = part, level.base = base, level.after = after, level.next = 0;
    int32_t roof = INT32_MAX;  // the lowest end that a buffer could have
    for (const int32_t i : part) roof = std::min(roof, floor_[i] + size_[i]);
    level.candidates.clear();
    for (const int32_t i : part) {
      if (passed(i, base, after) || floor_[i] >= roof || low_[i] > floor_[i]) continue;
      if (twin_[i] >= 0 && offset_[twin_[i]] < 0) continue;
      level.candidates.push_back(i);
    }
    sort_range(level.candidates.begin(), level.candidates.end(),
               [&](int32_t a, int32_t b) { return floor_[a] < floor_[b]; });
    level.lows.resize(part.size());
    for (size_t k = 0; k < part.size(); ++k) level.lows[k] = low_[part[k]];
  }

  // Opens the next part that is left, of this level or of one above it; false where all are solved.
  bool open_next() {
    for (; depth_ > 0; --depth_) {
      Level& level = levels_[depth_ - 1];
      if (level.solved == level.ends.size()) continue;
      const size_t from = level.solved == 0 ? 0 : level.ends[level.solved - 1];
      const int32_t placed = level.candidates[level.next - 1];
      const std::span<const int32_t> part(level.rest.data() + from, level.ends[level.solved++] - from);
      open(part, offset_[placed], placed);
      return true;
    }
    return false;
  }

  void put(Level& level) {
    const int32_t i = level.candidates[level.next++];
    const int32_t at = floor_[i], end = at + size_[i];
    level.lifted.clear();
    for (const int32_t j : neighbours(i)) {
      if (offset_[j] < 0 && floor_[j] < end) level.lifted.emplace_back(j, floor_[j]), floor_[j] = end;
    }
    offset_[i] = at;
    enter(i, -1);
    level.ends.clear(), level.floors.clear();
    level.solved = 0;
    level.rest.resize(level.part.size() - 1);
    std::remove_copy(level.part.begin(), level.part.end(), level.rest.begin(), i);
  }

  // What a trial changed, and the parts below it that were solved before one failed.
  void take_back(Level& level) {
    const size_t placed = level.solved > 1 ? level.ends[level.solved - 2] : 0;
    for (size_t k = 0; k < placed; ++k) {
      const int32_t i = level.rest[k];
      offset_[i] = -1, floor_[i] = level.floors[k], enter(i, 1);
    }
    const int32_t i = level.candidates[level.next - 1];
    enter(i, 1);
    offset_[i] = -1;
    for (const auto& [j, floor] : level.lifted) floor_[j] = floor;
    for (size_t k = 0; k < level.part.size(); ++k) low_[level.part[k]] = level.lows[k];
  }

  // Splits what a trial leaves where nothing spans, the smaller parts first; false where it cannot fit.
  bool split(Level& level) {
    if (level.rest.empty()) return true;
    const int32_t placed = level.candidates[level.next - 1];
    int32_t from = INT32_MAX, to = 0;
    for (const int32_t i : level.rest) from = std::min(from, first_[i]), to = std::max(to, last_[i]);
    if (!viable(level.rest, offset_[placed], placed, from, to)) return false;
    std::vector<int32_t> cuts;
    for (int32_t s = from; s + 1 < to; ++s) {
      if (span_[s] == 0) cuts.push_back(s + 1);
    }
    if (cuts.empty()) {
      level.ends.push_back(level.rest.size());
      return true;
    }
    cuts.push_back(to);
    std::vector<std::vector<int32_t>> parts(cuts.size());
    for (const int32_t i : level.rest)
      parts[static_cast<size_t>(std::upper_bound(cuts.begin(), cuts.end(), first_[i]) - cuts.begin())]
          .push_back(i);
    sort_range(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    level.rest.clear();
    for (const std::vector<int32_t>& part : parts) {
      if (part.empty()) continue;
      level.rest.insert(level.rest.end(), part.begin(), part.end());
      level.ends.push_back(level.rest.size());
    }
    for (const int32_t i : level.rest) level.floors.push_back(floor_[i]);
    return true;
  }

  bool passed(int32_t i, int32_t base, int32_t after) const {
    return floor_[i] < base || (floor_[i] == base && i < after);
  }

  const int32_t n_, sections_, capacity_;
  const int64_t limit_;
  const Watch& watch_;
  int64_t nodes_ = 0;
  bool stopped_ = false;
  std::vector<int32_t> given_, first_, last_, size_, twin_;  // by buffer, in the order of trying
  std::vector<int32_t> neighbours_;                          // of all, one after the other
  std::vector<size_t> neighbours_from_;
  int32_t culprit_ = -1;         // could not fit when a try was last given up
  std::vector<int32_t> lifter_;  // by buffer: a neighbour that could lift it when this was last asked
  static constexpr Units kMost = std::numeric_limits<Units>::max();
  std::vector<int32_t> span_;  // by section: buffers left that reach into the next
  // By section: the lowest end of who can be first, and the highest offset that the first can have.
  std::vector<Units> lowest_, room_;
  std::vector<int32_t> late_;            // who cannot be first somewhere; of one round
  std::vector<Units> low_;               // by buffer: the least offset that it can still have
  std::vector<int32_t> floor_, offset_;  // by buffer; offset -1: not placed
  std::vector<Level> levels_;            // those below the depth are kept for their memory
  size_t depth_ = 0;
};

// What one order finds at once another never does, so orders take turns: the plain ones with ever larger
// shares of nodes, and between them many short runs in shaken orders.
class Restarts {
 public:
  Restarts(std::vector<Item> items, int32_t sections, int64_t capacity, int64_t limit, const Watch& watch)
      : problem_(std::move(items), sections, capacity), left_(limit), watch_(watch) {}

  // Offsets come back in bytes: `unit` of them for each unit of the items.
  Verdict run(int64_t unit, int64_t& nodes, Offsets& offsets) {
    const int64_t limit = left_;
    const Watch outer = watch_;
    if (outer) watch_ = [&](int64_t here) { return outer(limit - left_ + here); };
    for (int64_t share = kFirstShare; left_ > 0 && verdict_ == Verdict::Unknown && !stopped_;
         share *= kGrowth) {
      for (const char* keys : kOrders) attempt({keys, 0}, share);
      for (int64_t used = 0; used < kShaken * kOrderCount * share && left_ > 0 && !stopped_;) {
        const int64_t some = ++shake_ % 5 == 0 ? kLongRun : kShortRun;
        attempt({shake_ % 7 == 0 ? "T" : "W", shake_}, some);
        used += some;
        if (verdict_ != Verdict::Unknown) break;
      }
    }
    nodes += limit - left_;
    if (verdict_ == Verdict::Found) {
      offsets = std::move(offsets_);
      for (int64_t& offset : offsets) offset *= unit;
    }
    return verdict_;
  }

 private:
  static constexpr int64_t kFirstShare = 2000, kGrowth = 3, kShortRun = 250, kLongRun = 1000;  // nodes
  static constexpr int64_t kShaken = 3;  // nodes in shaken orders for one in a plain order

  void attempt(const Order& order, int64_t share) {
    if (verdict_ != Verdict::Unknown || left_ <= 0 || stopped_) return;
    if (problem_.capacity < std::numeric_limits<int16_t>::max() / 2) {
      attempt_in<int16_t>(order, share);
    } else {
      attempt_in<int32_t>(order, share);
    }
  }

  template <class Units>
  void attempt_in(const Order& order, int64_t share) {
    Search<Units> search(problem_, order, std::min(share, left_), watch_);
    verdict_ = search.run(offsets_);
    left_ -= std::min(left_, search.nodes());
    stopped_ = stopped_ || search.stopped();
  }

  const Problem problem_;
  int64_t left_;
  Watch watch_;
  bool stopped_ = false;
  uint64_t shake_ = 0;
  Verdict verdict_ = Verdict::Unknown;
  Offsets offsets_;
};

}  // namespace

uint64_t mixed(uint64_t n) {
  for (int round = 0; round < 2; ++round) n = (n ^ n >> 32) * 0xD6E8FEB86659FD93u;
  return n ^ n >> 32;
}

Verdict search(const std::vector<Item>& items, int32_t sections, int64_t capacity, int64_t limit,
               const Watch& watch, int64_t& nodes, Offsets& offsets) {
  int64_t unit = 0;
  for (const Item& item : items) unit = std::gcd(unit, item.size);
  if (capacity / unit > INT32_MAX / 4) return Verdict::Unknown;  // ends stay below twice the capacity
  std::vector<Item> scaled = items;
  for (Item& item : scaled) item.size /= unit;
  return Restarts(std::move(scaled), sections, capacity / unit, limit, watch).run(unit, nodes, offsets);
}

}  // namespace irplan::packing
