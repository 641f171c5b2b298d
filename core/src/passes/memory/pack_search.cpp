#include <algorithm>
#include <iterator>
#include <numeric>

#include "passes/memory/pack_parts.h"

namespace irplan::packing {
namespace {

// Orders in which buffers are tried, by falling total of the fullest section (T), life (W), area (A), end
// (U), or rising begin (l) and end (u). What one order finds at once another never does: no one is best, so
// all are run in turn.
constexpr const char* kOrders[] = {"TWA", "WAT", "TAW", "lTu", "UTW", "luT"};
constexpr int kOrderCount = static_cast<int>(std::size(kOrders));

// Buffers are placed by rising offset, each on the highest end below it. In such a sequence
//   - a buffer that could lie wholly below the next offset must be placed before it,
//   - a buffer whose floor was passed over must still be lifted by a neighbour placed later,
//   - in each section, the lowest floor of what is left plus the sum of what is left must fit.
// Where no buffer that is left spans two sections, the sides are independent and searched one after the
// other.
class Search {
 public:
  Search(const std::vector<Item>& items, int32_t sections, int64_t capacity, int order, int64_t limit)
      : n_(static_cast<int32_t>(items.size())),
        sections_(sections),
        capacity_(static_cast<int32_t>(capacity)),
        limit_(limit) {
    arrange(items, order);
    left_.assign(static_cast<size_t>(sections), 0);
    span_.assign(static_cast<size_t>(sections), 0);
    lowest_.assign(static_cast<size_t>(sections), 0);
    for (int32_t i = 0; i < n_; ++i) enter(i, 1);
    floor_.assign(items.size(), 0);
    offset_.assign(items.size(), -1);
    find_neighbours();
  }

  Verdict run(Offsets& offsets) {
    std::vector<int32_t> all(static_cast<size_t>(n_));
    std::iota(all.begin(), all.end(), 0);
    const Verdict verdict = solve(all, 0, -1);
    if (verdict == Verdict::Found) {
      offsets.assign(static_cast<size_t>(n_), 0);
      for (int32_t i = 0; i < n_; ++i)
        offsets[static_cast<size_t>(given_[static_cast<size_t>(i)])] = offset_[static_cast<size_t>(i)];
    }
    return verdict;
  }

  int64_t nodes() const { return nodes_; }

 private:
  // Buffers in the order in which they are tried: by falling keys.
  void arrange(const std::vector<Item>& items, int order) {
    std::vector<int64_t> live(static_cast<size_t>(sections_), 0), total(items.size(), 0);
    for (const Item& item : items) {
      for (int32_t s = item.first; s < item.last; ++s) live[static_cast<size_t>(s)] += item.size;
    }
    for (size_t i = 0; i < items.size(); ++i) {
      for (int32_t s = items[i].first; s < items[i].last; ++s)
        total[i] = std::max(total[i], live[static_cast<size_t>(s)]);
    }
    given_.resize(items.size());
    std::iota(given_.begin(), given_.end(), 0);
    std::stable_sort(given_.begin(), given_.end(), [&](int32_t a, int32_t b) {
      const auto key = [&](int32_t i, int rank) -> int64_t {
        const Item& item = items[static_cast<size_t>(i)];
        const int64_t life = item.last - item.first;

        switch (kOrders[order][rank]) {
          case 'W': return life;
          case 'A': return life * item.size;
          case 'U': return item.last;
          case 'l': return -item.first;
          case 'u': return -item.last;
          default: return total[static_cast<size_t>(i)];
        }
      };
      for (int rank = 0; rank < 3; ++rank) {
        if (key(a, rank) != key(b, rank)) return key(a, rank) > key(b, rank);
      }
      return false;
    });
    for (const int32_t i : given_) {
      const Item& item = items[static_cast<size_t>(i)];
      first_.push_back(item.first);
      last_.push_back(item.last);
      size_.push_back(static_cast<int32_t>(item.size));
    }
    twin_.assign(items.size(), -1);
    for (int32_t i = 0; i < n_; ++i) {
      for (int32_t j = i - 1; j >= 0 && twin_[i] < 0; --j) {
        if (first_[j] == first_[i] && last_[j] == last_[i] && size_[j] == size_[i]) twin_[i] = j;
      }
    }
  }

  void find_neighbours() {
    neighbours_.resize(static_cast<size_t>(n_));
    for (int32_t i = 0; i < n_; ++i) {
      for (int32_t j = 0; j < n_; ++j) {
        if (i != j && first_[i] < last_[j] && first_[j] < last_[i]) neighbours_[i].push_back(j);
      }
    }
  }

  void enter(int32_t i, int32_t sign) {
    for (int32_t s = first_[i]; s < last_[i]; ++s) left_[s] += sign * size_[i];
    for (int32_t s = first_[i]; s + 1 < last_[i]; ++s) span_[s] += sign;
  }

  // Whether what is left of a part can still fit above `base`, where the buffer `after` was placed.
  bool viable(const std::vector<int32_t>& part, int32_t base, int32_t after, int32_t from, int32_t to) {
    for (int32_t s = from; s < to; ++s) lowest_[s] = INT32_MAX;
    for (const int32_t j : part) {
      int32_t floor = floor_[j];
      if (floor < base || (floor == base && j < after)) {
        int32_t least = INT32_MAX;  // of the neighbours that can still lift it
        for (const int32_t k : neighbours_[j]) {
          if (offset_[k] < 0) least = std::min(least, std::max(floor_[k], base) + size_[k]);
        }
        if (least == INT32_MAX) return false;
        floor = least;
      }
      if (floor > capacity_ - size_[j]) return false;
      const int32_t end = last_[j];
      for (int32_t s = first_[j]; s < end; ++s) lowest_[s] = std::min(lowest_[s], floor);
    }
    for (int32_t s = from; s < to; ++s) {
      if (left_[s] > 0 && lowest_[s] > capacity_ - left_[s]) return false;
    }
    return true;
  }

  // Splits what is left where nothing spans, and solves the parts one after the other.
  Verdict solve_parts(std::vector<int32_t>& rest, int32_t base, int32_t after) {
    if (rest.empty()) return Verdict::Found;
    int32_t from = INT32_MAX, to = 0;
    for (const int32_t i : rest) from = std::min(from, first_[i]), to = std::max(to, last_[i]);
    if (!viable(rest, base, after, from, to)) return Verdict::None;
    std::vector<int32_t> cuts;
    for (int32_t s = from; s + 1 < to; ++s) {
      if (span_[s] == 0) cuts.push_back(s + 1);
    }
    if (cuts.empty()) return solve(rest, base, after);
    cuts.push_back(to);
    std::vector<std::vector<int32_t>> parts(cuts.size());
    for (const int32_t i : rest)
      parts[static_cast<size_t>(std::upper_bound(cuts.begin(), cuts.end(), first_[i]) - cuts.begin())]
          .push_back(i);
    std::stable_sort(parts.begin(), parts.end(),
                     [](const auto& a, const auto& b) { return a.size() < b.size(); });
    std::vector<int32_t> floors;
    for (const auto& part : parts) {
      for (const int32_t i : part) floors.push_back(floor_[i]);
    }
    for (size_t p = 0; p < parts.size(); ++p) {
      if (parts[p].empty()) continue;
      const Verdict verdict = solve(parts[p], base, after);
      if (verdict == Verdict::Found) continue;
      auto floor = floors.begin();
      for (size_t q = 0; q < p; ++q) {
        for (const int32_t i : parts[q]) offset_[i] = -1, floor_[i] = *floor++, enter(i, 1);
      }
      return verdict;
    }
    return Verdict::Found;
  }

  Verdict solve(const std::vector<int32_t>& part, int32_t base, int32_t after) {
    if (part.empty()) return Verdict::Found;
    int32_t roof = INT32_MAX;  // the lowest end that a buffer can have
    for (const int32_t i : part) {
      if (!passed(i, base, after)) roof = std::min(roof, floor_[i] + size_[i]);
    }
    std::vector<int32_t> candidates;
    for (const int32_t i : part) {
      if (passed(i, base, after) || floor_[i] >= roof) continue;
      if (twin_[i] >= 0 && offset_[twin_[i]] < 0) continue;
      candidates.push_back(i);
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](int32_t a, int32_t b) { return floor_[a] < floor_[b]; });
    std::vector<int32_t> rest;
    rest.reserve(part.size());
    std::vector<std::pair<int32_t, int32_t>> before;  // floors that a placement lifts
    for (const int32_t i : candidates) {
      if (++nodes_ > limit_) return Verdict::Unknown;
      const int32_t at = floor_[i], end = at + size_[i];
      before.clear();
      for (const int32_t j : neighbours_[i]) {
        if (offset_[j] < 0 && floor_[j] < end) before.emplace_back(j, floor_[j]), floor_[j] = end;
      }
      offset_[i] = at;
      enter(i, -1);
      rest.clear();
      for (const int32_t j : part) {
        if (j != i) rest.push_back(j);
      }
      const Verdict verdict = solve_parts(rest, at, i);
      if (verdict == Verdict::Found) return verdict;
      enter(i, 1);
      offset_[i] = -1;
      for (const auto& [j, floor] : before) floor_[j] = floor;
      if (verdict == Verdict::Unknown) return verdict;
    }
    return Verdict::None;
  }

  bool passed(int32_t i, int32_t base, int32_t after) const {
    return floor_[i] < base || (floor_[i] == base && i < after);
  }

  const int32_t n_, sections_, capacity_;
  const int64_t limit_;
  int64_t nodes_ = 0;
  std::vector<int32_t> given_, first_, last_, size_, twin_;  // by buffer, in the order of trying
  std::vector<std::vector<int32_t>> neighbours_;
  std::vector<int32_t> left_, span_,
      lowest_;  // by section: bytes left, buffers left that reach into the next, lowest floor
  std::vector<int32_t> floor_, offset_;  // by buffer; offset -1: not placed
};

}  // namespace

Verdict search(const std::vector<Item>& items, int32_t sections, int64_t capacity, int64_t limit,
               int64_t& nodes, Offsets& offsets) {
  int64_t unit = 0;
  for (const Item& item : items) unit = std::gcd(unit, item.size);
  if (unit == 0) return Verdict::Found;
  if (capacity / unit > INT32_MAX / 4) return Verdict::Unknown;  // ends stay below twice the capacity
  std::vector<Item> scaled = items;
  for (Item& item : scaled) item.size /= unit;
  for (int64_t share = std::min<int64_t>(limit, 2000);; share = std::min(limit, share * 5)) {
    for (int order = 0; order < kOrderCount; ++order) {
      Search search(scaled, sections, capacity / unit, order, share);
      const Verdict verdict = search.run(offsets);
      nodes += search.nodes();
      if (verdict == Verdict::Unknown) continue;
      for (int64_t& offset : offsets) offset *= unit;
      return verdict;
    }
    if (share == limit) return Verdict::Unknown;
  }
}

}  // namespace irplan::packing
