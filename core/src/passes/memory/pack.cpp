#include "irplan/pack.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/sort.h"
#include "passes/memory/pack_parts.h"

namespace irplan {
namespace {

using packing::Item;
using packing::Offsets;
using packing::Verdict;

constexpr size_t kEjectedFrom = 512;   // buffers of a component; the search does better with fewer
constexpr int64_t kEjectWork = 250;    // for each node of the search's limit
constexpr int64_t kCheapLives = 1200;  // sections that the buffers of a component live in, all together
constexpr int64_t kNoLimit = INT64_MAX / 8;
constexpr int64_t kStep = 3;         // of the gap, taken down at once at first
constexpr int64_t kShareAbove = 2;   // times the limit at the goal, for all heights above it together
constexpr int64_t kBriefShare = 12;  // of that limit, for one of them at first
constexpr int64_t kLonger = 3;       // times, when none is left that was not tried
constexpr size_t kMendAlone = 100'000,
                 kMendBeforeSearch = 2'000;  // buffers placed again; the search mends better

// Buffers that live at connected times, on a line of sections.
struct Component {
  std::vector<uint32_t> members;
  std::vector<Item> items;
  int32_t sections = 0;
  int64_t bound = 0;
};

struct Event {
  int64_t time;
  bool begins;
  uint32_t buffer;
};

std::vector<Event> events_of(std::span<const PackBuffer> buffers) {
  std::vector<Event> events;
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    const PackBuffer& b = buffers[i];
    if (b.size <= 0 || b.lower >= b.upper) continue;
    events.push_back({b.lower, true, i});
    events.push_back({b.upper, false, i});
  }
  sort_range(events.begin(), events.end(), [](const Event& a, const Event& b) {
    if (a.time != b.time) return a.time < b.time;
    if (a.begins != b.begins) return !a.begins;
    return a.buffer < b.buffer;
  });
  return events;
}

// A section ends where a buffer dies after one was born; a component where nothing lives.
std::vector<Component> components_of(std::span<const PackBuffer> buffers) {
  std::vector<Component> components;
  std::vector<uint32_t> slot(buffers.size());
  size_t alive = 0;
  int64_t sum = 0;
  bool grown = false;
  for (const Event& event : events_of(buffers)) {
    if (event.begins) {
      if (alive == 0) components.emplace_back();
      Component& c = components.back();
      slot[event.buffer] = static_cast<uint32_t>(c.members.size());
      c.members.push_back(event.buffer);
      c.items.push_back({c.sections, 0, buffers[event.buffer].size});
      sum += buffers[event.buffer].size;
      c.bound = std::max(c.bound, sum);
      ++alive, grown = true;
    } else {
      Component& c = components.back();
      if (grown) ++c.sections, grown = false;
      c.items[slot[event.buffer]].last = c.sections;
      sum -= buffers[event.buffer].size;
      --alive;
    }
  }
  return components;
}

class Packer {
 public:
  Packer(std::span<const PackBuffer> buffers, const PackOptions& options)
      : options_(options), components_(components_of(buffers)) {
    result_.offsets.assign(buffers.size(), 0);
    for (const Component& c : components_) result_.bound = std::max(result_.bound, c.bound);
  }

  PackResult run() {
    const int64_t target = std::max(result_.bound, std::min(options_.capacity.value_or(0), INT64_MAX / 4));
    result_.proven = true;
    for (const Component& c : components_) place(c, target);
    result_.proven = result_.proven || result_.height == result_.bound;
    if (options_.capacity) result_.impossible = result_.impossible || *options_.capacity < result_.bound;
    return std::move(result_);
  }

 private:
  void place(const Component& c, int64_t target) {
    const bool searches = options_.strength != Strength::Portfolio && c.items.size() <= kMostPackSearched;
    Offsets best = packing::portfolio(c.items, target, searches ? kMendBeforeSearch : kMendAlone);
    int64_t height = packing::height_of(c.items, best);
    // What the other components need is free for this one as well.
    const int64_t goal = std::max(target, result_.height);
    bool proven = height <= c.bound;
    if (height > goal && options_.strength != Strength::Portfolio) {
      proven = searches ? improve(c, goal, best, height) : lower(c, goal, best, height);
    }
    for (size_t i = 0; i < c.items.size(); ++i) result_.offsets[c.members[i]] = best[i];
    if (height > result_.height) {
      result_.height = height;
      result_.proven = proven;
    }
  }

  // Buffers that stand too high change places with others: for many this finds what no search by depth does.
  // True where the bound is met.
  bool lower(const Component& c, int64_t goal, Offsets& best, int64_t& height) {
    const int64_t before = result_.nodes;
    const packing::Report report = [&](int64_t reached, int64_t tried, int64_t nodes) {
      if (options_.progress && !options_.progress({reached, tried, before + nodes})) result_.stopped = true;
      return !result_.stopped;
    };
    const int64_t work = std::min(options_.node_limit, kNoLimit / kEjectWork) * kEjectWork;
    packing::eject(c.items, goal, work, report, result_.nodes, best);
    height = packing::height_of(c.items, best);
    result_.strength = std::max(result_.strength, Strength::Limited);
    return height <= c.bound;
  }

  // The goal first; then, from what exchanges reach, heights above it; then, if it must be exact, from below
  // until a height is reached. True where nothing lower exists.
  bool improve(const Component& c, int64_t goal, Offsets& best, int64_t& height) {
    int64_t unit = 0;
    for (const Item& item : c.items) unit = std::gcd(unit, item.size);
    const int64_t most = node_limit(c);
    int64_t refuted = goal / unit - 1;  // in units: no height up to it can be reached
    const auto attempt = [&](int64_t tried, int64_t limit) {
      Offsets found;
      const int64_t before = result_.nodes;
      const packing::Watch watch = [&](int64_t nodes) {
        if (options_.progress && !options_.progress({height, tried * unit, before + nodes}))
          result_.stopped = true;
        return !result_.stopped;
      };
      const Verdict verdict =
          packing::search(c.items, c.sections, tried * unit, limit, watch, result_.nodes, found);
      if (verdict == Verdict::Found) best = std::move(found), height = packing::height_of(c.items, best);
      if (verdict == Verdict::None) refuted = tried;
      if (verdict == Verdict::None && options_.capacity && tried * unit >= *options_.capacity)
        result_.impossible = true;
      return verdict == Verdict::Found;
    };
    if (!attempt(goal / unit, most) && !options_.decide && !result_.stopped && c.items.size() >= kEjectedFrom)
      lower(c, goal, best, height);
    if (!options_.decide)
      descend(
          most, [&] { return height / unit; }, [&] { return refuted; }, attempt);
    while (options_.strength == Strength::Exact && !options_.decide && !result_.stopped &&
           refuted + 1 < height / unit)
      attempt(refuted + 1, kNoLimit);
    const bool done = refuted + 1 >= height / unit;
    result_.strength = std::max(result_.strength, done ? Strength::Exact : Strength::Limited);
    return done && goal == c.bound;
  }

  // Which heights a search finds at once is luck, and the lower of two no worse a draw than the higher: many
  // are tried briefly, by ever smaller steps down and then one by one, before any is tried for longer.
  template <class Height, class Refuted, class Attempt>
  void descend(int64_t most, Height height, Refuted refuted, Attempt attempt) {
    const int64_t end = result_.nodes + kShareAbove * most;
    for (int64_t brief = most / kBriefShare + 1;; brief *= kLonger) {
      std::set<int64_t> tried;
      int64_t step = height(), beyond = 0;  // steps below the height that failed one by one
      while (refuted() + 1 < height() - beyond) {
        step = std::clamp<int64_t>((height() - refuted()) / kStep, 1, step);
        const int64_t next = height() - step - beyond;
        const int64_t left = end - result_.nodes;
        if (left <= 0 || result_.stopped) return;
        if (tried.insert(next).second && attempt(next, std::min(brief, left))) {
          beyond = 0;
        } else if (step > 1) {
          step /= 2;
        } else {
          ++beyond;
        }
      }
      if (refuted() + 1 >= height()) return;
    }
  }

  // Nodes cost as much as sections are looked at for each, so that wide components get fewer.
  int64_t node_limit(const Component& c) const {
    int64_t lives = 0;
    for (const Item& item : c.items) lives += item.last - item.first;
    return std::max<int64_t>(options_.node_limit * kCheapLives / std::max(kCheapLives, lives), 1);
  }

  const PackOptions& options_;
  std::vector<Component> components_;
  PackResult result_;
};

// Buffers alive together whose sum exceeds the capacity: the step that needs the fewest, its largest first.
// They are irreducible: without the last, the smallest, the sum is within the capacity.
std::vector<uint32_t> excess(std::span<const PackBuffer> buffers, int64_t capacity) {
  const auto larger = [&](uint32_t a, uint32_t b) {
    return buffers[a].size != buffers[b].size ? buffers[a].size > buffers[b].size : a < b;
  };
  std::set<uint32_t, decltype(larger)> alive(larger);
  std::vector<uint32_t> fewest;
  int64_t sum = 0;
  bool grown = false;
  for (const Event& event : events_of(buffers)) {
    if (!event.begins && grown && sum > capacity) {
      std::vector<uint32_t> taken;
      int64_t bytes = 0;
      for (auto next = alive.begin(); bytes <= capacity; ++next)
        taken.push_back(*next), bytes += buffers[*next].size;
      if (fewest.empty() || taken.size() < fewest.size()) fewest = std::move(taken);
    }
    grown = event.begins;
    if (event.begins) {
      alive.insert(event.buffer);
      sum += buffers[event.buffer].size;
    } else {
      alive.erase(event.buffer);
      sum -= buffers[event.buffer].size;
    }
  }
  return fewest;
}

constexpr int64_t kConflictNodes = 20'000;  // of the search for each subset tried

// Drops ever smaller runs of buffers while what is left is still refuted.
PackConflict reduce(std::span<const PackBuffer> buffers, std::vector<uint32_t> kept, int64_t capacity,
                    const std::function<bool(const PackProgress&)>& progress) {
  PackOptions options;
  options.capacity = capacity;
  options.node_limit = kConflictNodes;
  options.decide = true;
  options.progress = progress;
  PackConflict conflict{{}, true};
  for (size_t run = std::max<size_t>(kept.size() / 2, 1);; run /= 2) {
    for (size_t at = 0; at < kept.size();) {
      const size_t end = std::min(at + run, kept.size());
      std::vector<PackBuffer> rest;
      for (size_t i = 0; i < kept.size(); ++i) {
        if (i < at || i >= end) rest.push_back(buffers[kept[i]]);
      }
      const PackResult result = pack(rest, options);
      if (result.stopped) return {std::move(kept), false};
      if (result.impossible) {
        kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(at),
                   kept.begin() + static_cast<std::ptrdiff_t>(end));
        continue;
      }
      if (run == 1 && result.height > capacity) conflict.irreducible = false;
      at = end;
    }
    if (run == 1) break;
  }
  conflict.buffers = std::move(kept);
  return conflict;
}

}  // namespace

PackConflict find_conflict(std::span<const PackBuffer> buffers, int64_t capacity, const PackResult& result,
                           const std::function<bool(const PackProgress&)>& progress) {
  if (capacity < result.bound) return {excess(buffers, capacity), true};
  if (!result.impossible) return {};
  std::vector<uint32_t> all;
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].size > 0 && buffers[i].lower < buffers[i].upper) all.push_back(i);
  }
  return reduce(buffers, std::move(all), capacity, progress);
}

PackResult pack(std::span<const PackBuffer> buffers, const PackOptions& options) {
  return Packer(buffers, options).run();
}

}  // namespace irplan
