#include "passes/schedule/baselines.h"

#include <algorithm>
#include <utility>

namespace irplan::scheduling {
namespace {

constexpr size_t kMaxReady = 64;  // ops that the list order compares at once

}  // namespace

Order depth_first(const PhaseModel& model) {
  std::vector<uint8_t> needed(model.end() - model.begin(), 0), done(needed.size(), 0);
  for (const OpId i : model.program_order()) {
    for (const OpId earlier : model.needs(i)) needed[model.index(earlier)] = 1;
  }
  Order order;
  std::vector<std::pair<OpId, size_t>> path;  // and how many of its needs were looked at
  for (const OpId last : model.program_order()) {
    if (needed[model.index(last)]) continue;
    path.emplace_back(last, 0);
    while (!path.empty()) {
      const OpId i = path.back().first;
      const Rows::Row needs = model.needs(i);
      if (done[model.index(i)] || path.back().second == needs.size()) {
        if (!done[model.index(i)]) order.push_back(i);
        done[model.index(i)] = 1;
        path.pop_back();
      } else {
        const OpId earlier = needs.begin()[path.back().second++];
        if (!done[model.index(earlier)]) path.emplace_back(earlier, 0);
      }
    }
  }
  return order;
}

Order list_order(const PhaseModel& model, const Sizes& sizes) {
  const std::vector<Storage>& storage = model.storage();
  std::vector<uint32_t> waits(model.end() - model.begin(), 0), left;
  std::vector<uint8_t> started(storage.size(), 0);
  std::vector<Order> followers(waits.size());
  for (const Storage& s : storage) left.push_back(static_cast<uint32_t>(s.readers.size()));
  Order ready, order;
  for (const OpId i : model.program_order()) {
    waits[model.index(i)] = static_cast<uint32_t>(model.needs(i).size());
    if (waits[model.index(i)] == 0) ready.push_back(i);
    for (const OpId earlier : model.needs(i)) followers[model.index(earlier)].push_back(i);
  }
  const auto change = [&](OpId op) {  // of the bytes alive: behind it, and while it runs
    const Effect e = model.effect(
        op, [&](StorageId s) { return left[s] == 1; }, [&](StorageId s) { return !started[s]; });
    int64_t made = 0, freed = 0, reused = 0;
    for (const uint32_t s : e.made) made += sizes[s];
    for (const uint32_t s : e.freed) freed += sizes[s];
    for (const uint32_t s : e.reused) reused += sizes[s];
    return std::pair(made - freed, made - reused);
  };
  while (!ready.empty()) {
    size_t best = 0;
    std::pair<int64_t, int64_t> least{INT64_MAX, INT64_MAX};
    for (size_t k = 0; k < std::min(ready.size(), kMaxReady); ++k) {
      const auto bytes = change(ready[k]);
      if (bytes < least) least = bytes, best = k;
    }
    const OpId i = ready[best];
    ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(best));
    order.push_back(i);
    for (const StorageId s : model.step(i).in) --left[s];
    for (const StorageId s : model.step(i).out) started[s] = 1;
    for (const OpId next : followers[model.index(i)]) {
      if (--waits[model.index(next)] == 0)
        ready.insert(std::lower_bound(ready.begin(), ready.end(), next), next);
    }
  }
  return order;
}

}  // namespace irplan::scheduling
