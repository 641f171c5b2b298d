#include "plan/proof/regions.h"

#include <algorithm>

namespace irplan::proof {

void Regions::start(size_t buffers) { regions_.assign(buffers, Region()); }

uint32_t Regions::part(uint32_t of, const std::vector<uint32_t>& frame, int axis, Expr start, Expr end) {
  std::vector<uint32_t> key{of, static_cast<uint32_t>(axis)};
  key.insert(key.end(), frame.begin(), frame.end());
  const auto [slot, fresh] = group_of_.try_emplace(std::move(key), static_cast<uint32_t>(groups_.size()));
  if (fresh) {
    regions_[of].groups.push_back(slot->second);
    groups_.emplace_back();
  }
  Group& group = groups_[slot->second];
  const uint64_t interval = uint64_t{start.index()} << 32 | end.index();
  const auto id = static_cast<uint32_t>(regions_.size());
  const auto [known, first] = group.known.try_emplace(interval, id);
  if (!first) return known->second;
  // Behind a chain, before one, or a chain of its own.
  const auto behind = group.by_end.find(start.index()), before = group.by_start.find(end.index());
  uint32_t chain = static_cast<uint32_t>(chains_.size());
  if (behind != group.by_end.end()) {
    chain = behind->second;
    group.by_end.erase(behind);
    group.by_end[end.index()] = chain;
  } else if (before != group.by_start.end()) {
    chain = before->second;
    group.by_start.erase(before);
    group.by_start[start.index()] = chain;
  } else {
    chains_.emplace_back().group = slot->second;
    group.chains.push_back(chain);
    group.by_end[end.index()] = chain;
    group.by_start[start.index()] = chain;
  }
  chains_[chain].links.push_back(id);
  Region region;
  region.parent = of, region.chain = chain, region.start = start, region.end = end;
  regions_.push_back(std::move(region));
  return id;
}

void Regions::write(uint32_t region, uint32_t value, uint32_t time) {
  regions_[region].time = time, regions_[region].value = value;
  for (uint32_t at = region; regions_[at].parent != kNone; ++work_) {
    Chain& chain = chains_[regions_[at].chain];
    Group& group = groups_[chain.group];
    chain.time = group.time = time, chain.value = group.value = value;
    at = regions_[at].parent;
    regions_[at].time_below = time, regions_[at].below = value;
  }
}

uint32_t Regions::written_since(uint32_t region, uint32_t time, Facts& facts) {
  if (regions_[region].time > time) return regions_[region].value;
  if (regions_[region].time_below > time) return regions_[region].below;
  for (uint32_t at = region; regions_[at].parent != kNone; at = regions_[at].parent, ++work_) {
    const Region& above = regions_[regions_[at].parent];
    if (above.time > time) return above.value;
    if (above.time_below <= time) continue;
    const uint32_t found = among_siblings(at, time, facts);
    if (found != kNone) return found;
  }
  return kNone;
}

// What was written beside the region, in another part of its parent that may overlap it.
uint32_t Regions::among_siblings(uint32_t region, uint32_t time, Facts& facts) {
  const Region& own = regions_[region];
  for (const uint32_t g : regions_[own.parent].groups) {
    const Group& group = groups_[g];
    ++work_;
    if (group.time <= time) continue;
    if (g != chains_[own.chain].group) return group.value;
    for (const uint32_t c : group.chains) {
      ++work_;
      if (c == own.chain || chains_[c].time <= time) continue;
      for (const uint32_t other : chains_[c].links) {
        const Region& beside = regions_[other];
        ++work_;
        if (std::max(beside.time, beside.time_below) <= time) continue;
        if (facts.at_most(beside.end, own.start) || facts.at_most(own.end, beside.start)) continue;
        return beside.time > time ? beside.value : beside.below;
      }
    }
  }
  return kNone;
}

}  // namespace irplan::proof
