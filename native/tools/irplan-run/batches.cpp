#include "tools/irplan-run/batches.h"

#include <algorithm>

namespace irplan::run {
namespace {

// Of a step of so many tokens, those that only fill it up included.
int64_t cost(int64_t tokens) { return std::max(kFreeTokens, tokens); }

Batch by_slot(std::vector<Pending> rows) {
  std::sort(rows.begin(), rows.end(), [](const Pending& a, const Pending& b) { return a.slot < b.slot; });
  Batch out;
  for (const Pending& row : rows) {
    out.slots.push_back(row.slot);
    out.counts.push_back(row.tokens);
  }
  return out;
}

// The size that does most work, up to what fills a step; of those the longest.
Batch of_one_size(const std::vector<Pending>& prompts, int64_t most) {
  std::vector<Pending> best;
  int64_t best_work = 0;
  for (const Pending& one : prompts) {
    const int64_t size = std::min(one.tokens, prompts[0].tokens);
    std::vector<Pending> rows;
    for (const Pending& row : prompts) {
      const auto taken = static_cast<int64_t>(rows.size());
      if (row.tokens >= size && (taken == 0 || (taken + 1) * size <= most))
        rows.push_back({row.slot, size, row.order});
    }
    const int64_t work = std::min(kFreeTokens, size * static_cast<int64_t>(rows.size()));
    if (work < best_work || (work == best_work && size <= best[0].tokens)) continue;
    best = std::move(rows);
    best_work = work;
  }
  return by_slot(std::move(best));
}

Batch of_own_sizes(const std::vector<Pending>& prompts, const std::vector<Pending>& decodes, int64_t most) {
  std::vector<Pending> rows = {prompts[0]};
  const int64_t size = prompts[0].tokens;
  const auto after = [&](size_t more) { return static_cast<int64_t>(rows.size() + more) * size; };
  for (size_t i = 1; i < prompts.size(); ++i) {
    const bool pays = cost(after(1)) <= cost(after(0)) + cost(prompts[i].tokens);
    if (prompts[i].tokens <= size && after(1) <= most && pays) rows.push_back(prompts[i]);
  }
  const size_t more = decodes.size();
  if (more > 0 && after(more) <= most &&
      cost(after(more)) <= cost(after(0)) + cost(static_cast<int64_t>(more)))
    rows.insert(rows.end(), decodes.begin(), decodes.end());
  return by_slot(std::move(rows));
}

}  // namespace

int64_t Batch::count() const { return counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end()); }

Batch next_prompts(const std::vector<Pending>& pending, int64_t most, bool ragged) {
  std::vector<Pending> prompts, decodes;
  for (const Pending& row : pending) (row.tokens > 1 ? prompts : decodes).push_back(row);
  if (prompts.empty()) return {};
  std::sort(prompts.begin(), prompts.end(),
            [](const Pending& a, const Pending& b) { return a.order < b.order; });
  return ragged ? of_own_sizes(prompts, decodes, most) : of_one_size(prompts, most);
}

Batch decoding(const std::vector<Pending>& pending) {
  std::vector<Pending> rows;
  for (const Pending& row : pending) {
    if (row.tokens == 1) rows.push_back(row);
  }
  return by_slot(std::move(rows));
}

}  // namespace irplan::run
