// The arena at one set of sizes: one pass over the stacking order.
#include <algorithm>

#include "base/bytes.h"
#include "plan/plan.h"

namespace irplan {

std::optional<BoundArena> bind_arena(const Plan& plan, const std::string& phase, const Binding& binding) {
  BoundArena out;
  out.offsets.assign(plan.buffers.size(), -1);
  Evaluator value(*plan.pool, binding);
  const int64_t align = plan.align;
  // Each buffer asks for what lies below it once, all at a time, so the list never holds more than this.
  size_t most = 1;
  for (const Plan::Buffer& b : plan.buffers) most += b.above.size();
  std::vector<int64_t> ends(plan.buffers.size(), 0);  // of those that have an offset
  std::vector<uint32_t> todo;
  for (uint32_t first = 0; first < plan.buffers.size(); ++first) {
    if (plan.buffers[first].segment != Plan::Segment::Arena || plan.buffers[first].phase != phase ||
        out.offsets[first] >= 0)
      continue;
    todo.push_back(first);
    while (!todo.empty()) {
      const uint32_t id = todo.back();
      if (todo.size() > most) return std::nullopt;  // `above` runs in a circle
      if (out.offsets[id] >= 0) {
        todo.pop_back();
        continue;
      }
      int64_t at = 0;
      bool ready = true;
      for (const uint32_t below : plan.buffers[id].above) {
        if (out.offsets[below] < 0) {
          todo.push_back(below);
          ready = false;
        }
        if (!ready) continue;
        if (ends[below] > INT64_MAX - align) return std::nullopt;
        at = std::max(at, align_up(ends[below], align));
      }
      if (!ready) continue;
      todo.pop_back();
      const auto bytes = value(plan.buffers[id].bytes);
      if (!bytes || *bytes < 0 || __builtin_add_overflow(at, *bytes, &ends[id])) return std::nullopt;
      out.offsets[id] = at;
      out.bytes = std::max(out.bytes, ends[id]);
    }
  }
  for (int64_t& offset : out.offsets) offset = std::max<int64_t>(offset, 0);
  return out;
}

}  // namespace irplan
