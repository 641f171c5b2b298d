// Lifetimes, and that the stacking order parts every two buffers that are alive together.
//
// Offsets follow from `above`: a buffer begins at the largest end of what lies below it. So two buffers are
// disjoint at every size if one can be reached from the other by going down. Those alive at one time form a
// chain, and it is enough that each link of it holds: only neighbours in the chain are asked about.
#include <algorithm>
#include <set>

#include "base/sort.h"
#include "plan/proof/proof.h"

namespace irplan::proof {

bool Proof::order() {
  if (!check_lifetimes()) return false;
  rank_.assign(plan_.buffers.size(), 0);
  seen_.assign(plan_.buffers.size(), 0);
  for (uint32_t p = 0; p < plan_.phases.size(); ++p) {
    if (!ranked(arena_[p]) || !check_order(p, arena_[p])) return false;
  }
  return clean();
}

bool Proof::check_lifetimes() {
  std::vector<std::pair<uint32_t, uint32_t>> live(plan_.buffers.size(), {UINT32_MAX, 0});
  const auto touch = [&](uint32_t buffer, uint32_t at) {
    live[buffer].first = std::min(live[buffer].first, at);
    live[buffer].second = std::max(live[buffer].second, at + 1);
  };
  for (uint32_t i = 0; i < plan_.ops.size(); ++i) {
    const Plan::Op& op = plan_.ops[i];
    for (const uint32_t v : op.in) {
      if (v != kAbsent) touch(plan_.values[v].buffer, i);
    }
    for (const uint32_t v : op.out) touch(plan_.values[v].buffer, i);
    for (const uint32_t s : op.scratch) touch(s, i);
  }
  for (const Plan::Output& output : plan_.outputs) {
    const uint32_t buffer = plan_.values[output.value].buffer;
    const Plan::Phase& phase = plan_.phases[phase_index(output.phase)];
    if (live[buffer].second > 0 && phase.ops_end > phase.ops_begin) touch(buffer, phase.ops_end - 1);
  }
  for (uint32_t i = 0; i < plan_.buffers.size() && !full(); ++i) {
    const Plan::Buffer& b = plan_.buffers[i];
    if (b.segment != Plan::Segment::Arena) continue;
    const auto [begin, end] = live[i].second > 0 ? live[i] : std::pair<uint32_t, uint32_t>{0, 0};
    if (b.live_begin == begin && b.live_end == end) continue;
    refuse(Rule::Live, where_buffer(i),
           "live [" + std::to_string(b.live_begin) + ", " + std::to_string(b.live_end) + "), the ops say [" +
               std::to_string(begin) + ", " + std::to_string(end) + ")");
  }
  return clean();
}

// Gives each buffer a rank above those of all that lie below it: by how many lie below it in a row, at most.
// So what ranks between two of them lies near both.
bool Proof::ranked(const std::vector<uint32_t>& arena) {
  enum : uint8_t { New, Open, Done };
  std::unordered_map<uint32_t, uint8_t> state;
  std::vector<std::pair<uint32_t, uint32_t>> levels;  // and buffers
  std::vector<std::pair<uint32_t, size_t>> stack;
  for (const uint32_t root : arena) {
    if (state[root] != New) continue;
    stack.assign(1, {root, 0});
    state[root] = Open;
    while (!stack.empty()) {
      auto& [b, next] = stack.back();
      const Plan::Ids& above = plan_.buffers[b].above;
      if (next == above.size()) {
        uint32_t level = 0;
        for (const uint32_t u : above) level = std::max(level, rank_[u] + 1);
        rank_[b] = level;
        levels.emplace_back(level, b);
        state[b] = Done;
        stack.pop_back();
        continue;
      }
      const uint32_t u = above[next++];
      if (state[u] == Open) {
        std::string circle;  // the stack from `u` up
        auto member =
            std::find_if(stack.begin(), stack.end(), [&](const auto& entry) { return entry.first == u; });
        for (; member != stack.end() && circle.size() < 400; ++member)
          circle += plan_.buffers[member->first].id + " -> ";
        refuse(Rule::AboveCircle, where_buffer(b),
               "`above` runs in a circle: " + circle + plan_.buffers[u].id);
        circular_ = true;
        return false;
      }
      if (state[u] == New) state[u] = Open, stack.emplace_back(u, 0);
    }
  }
  sort_range(levels.begin(), levels.end());
  for (uint32_t i = 0; i < levels.size(); ++i) rank_[levels[i].second] = i + 1;
  return true;
}

bool Proof::check_order(uint32_t phase, const std::vector<uint32_t>& arena) {
  const Plan::Phase& p = plan_.phases[phase];
  std::vector<uint32_t> births, deaths;
  for (const uint32_t b : arena) {
    if (plan_.buffers[b].live_end > plan_.buffers[b].live_begin) births.push_back(b);
  }
  deaths = births;
  const auto by = [&](auto key) {
    return [this, key](uint32_t a, uint32_t b) {
      return std::pair(plan_.buffers[a].*key, rank_[a]) < std::pair(plan_.buffers[b].*key, rank_[b]);
    };
  };
  sort_range(births.begin(), births.end(), by(&Plan::Buffer::live_begin));
  sort_range(deaths.begin(), deaths.end(), by(&Plan::Buffer::live_end));
  const auto lower_first = [&](uint32_t a, uint32_t b) { return rank_[a] < rank_[b]; };
  std::set<uint32_t, decltype(lower_first)> alive(lower_first);
  const auto parted = [&](uint32_t lower, uint32_t upper) {
    if (reaches(upper, lower)) return;
    if (tangled()) return;  // told at the end, once
    refuse(Rule::Ordered, where_buffer(upper),
           "alive together with " + plan_.buffers[lower].id + ", and `above` orders neither");
  };
  size_t next = 0;
  // Takes out what is dead at a time; those that were beside it in the chain are neighbours then, if both
  // live on.
  const auto bury = [&](uint32_t now) {
    for (; next < deaths.size() && plan_.buffers[deaths[next]].live_end <= now; ++next) {
      const auto gone = alive.find(deaths[next]);
      if (gone == alive.end()) continue;
      const auto after = alive.erase(gone);
      if (after == alive.begin() || after == alive.end()) continue;
      const uint32_t upper = *after, lower = *std::prev(after), then = plan_.buffers[deaths[next]].live_end;
      if (std::min(plan_.buffers[upper].live_end, plan_.buffers[lower].live_end) > then) parted(lower, upper);
    }
  };
  search_work_ = 0;
  lies_above_.clear();
  for (const uint32_t b : arena) {
    for (const uint32_t u : plan_.buffers[b].above) lies_above_.insert(pair_of(b, u));
  }
  for (const uint32_t b : births) {
    if (full() || tangled()) break;
    const uint32_t now = plan_.buffers[b].live_begin;
    if (now < p.ops_begin || plan_.buffers[b].live_end > p.ops_end) {
      refuse(Rule::Live, where_buffer(b), "lives beyond its phase " + p.name);
      continue;
    }
    bury(now);
    const auto place = alive.insert(b).first;
    if (place != alive.begin()) parted(*std::prev(place), b);
    if (std::next(place) != alive.end()) parted(b, *std::next(place));
  }
  bury(p.ops_end);
  if (tangled())
    refuse(Rule::Work, "phases " + p.name,
           "which of its buffers lies above which takes too many steps to follow");
  return clean();
}

// Whether `lower` is found by going down from `upper`, through buffers that rank between. What is found is
// kept: buffers that live long are asked about whenever one between them ends.
bool Proof::reaches(uint32_t upper, uint32_t lower) {
  if (lies_above_.contains(pair_of(upper, lower))) return true;
  ++search_;
  std::vector<uint32_t> todo{upper};
  while (!todo.empty()) {
    const uint32_t at = todo.back();
    todo.pop_back();
    for (const uint32_t u : plan_.buffers[at].above) {
      if (++search_work_, tangled()) return false;
      if (rank_[u] <= rank_[lower] || seen_[u] == search_) continue;
      if (lies_above_.contains(pair_of(u, lower))) return lies_above_.insert(pair_of(upper, lower)).second;
      seen_[u] = search_;
      todo.push_back(u);
    }
  }
  return false;
}

}  // namespace irplan::proof
