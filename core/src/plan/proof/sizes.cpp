// The plan's numbers: those at its own sizes, and the peaks and bounds that it says hold at every size.
#include <algorithm>

#include "base/sort.h"
#include "plan/proof/maximum.h"
#include "plan/proof/proof.h"

namespace irplan::proof {
namespace {

bool holds(const Plan::Guard& guard, Evaluator& at) {
  const auto a = at(guard.left), b = at(guard.right);
  if (!a || !b) return false;
  return guard.relation == Relation::LessEqual      ? *a <= *b
         : guard.relation == Relation::GreaterEqual ? *a >= *b
                                                    : *a == *b;
}

}  // namespace

bool Proof::sizes() {
  peak_proven_.assign(plan_.phases.size(), 0);
  for (Facts& facts : facts_) facts.rest();
  for (uint32_t p = 0; p < plan_.phases.size() && !full(); ++p) {
    if (!check_values(p)) continue;
    Maximum ends(*plan_.pool, facts(p));
    if (plan_.phases[p].peak || plan_.memory.range.proven) stack_ends(p, ends);
    check_peak(p, ends);
    if (plan_.memory.range.proven) check_proven(p, ends);
    check_at_peak(p);
    check_tokens(p);
  }
  return clean();
}

bool Proof::check_values(uint32_t p) {
  const Plan::Phase& phase = plan_.phases[p];
  const std::string where = "phases " + phase.name;
  const Binding binding = values_in(p);
  Evaluator at(*plan_.pool, binding);
  for (size_t d = 0; d < binding.size(); ++d) {
    const Interval& range = facts(p).ranges()[d];
    if (!range.contains(binding[d]))
      refuse(Rule::PhaseValue, where,
             plan_.dims[d].name + "=" + std::to_string(binding[d]) + " is outside of its range");
  }
  for (const Plan::Guard& g : plan_.guards) {
    if ((g.phase.empty() || g.phase == phase.name) && !holds(g, at))
      refuse(Rule::GuardValue, "guards",
             g.left.text().substr(0, 80) + " " + symbol(g.relation) + " " + g.right.text().substr(0, 80) +
                 " does not hold at the plan's sizes");
  }
  const auto arena = bind_arena(plan_, phase.name, binding);
  if (!arena) return refuse(Rule::PeakBytes, where, "the arena has no size");
  if (phase.peak_bytes != arena->bytes)
    refuse(Rule::PeakBytes, where,
           "peak_bytes " + std::to_string(phase.peak_bytes) + ", the offsets need " +
               std::to_string(arena->bytes));
  for (const uint32_t b : arena_[p]) {
    if (full()) break;
    if (plan_.buffers[b].offset != arena->offsets[b])
      refuse(Rule::Offset, where_buffer(b),
             "offset " + std::to_string(plan_.buffers[b].offset) + ", stacking gives " +
                 std::to_string(arena->offsets[b]));
  }
  if (phase.peak && at(*phase.peak) != arena->bytes)
    refuse(Rule::Peak, where,
           "peak " + phase.peak->text().substr(0, 80) + ", the offsets need " + std::to_string(arena->bytes));
  uint32_t peak_op = kAbsent;
  const int64_t least = live_bytes(p, at, false, &peak_op), padded = live_bytes(p, at, true, nullptr);
  const std::string& first = peak_op == kAbsent ? std::string() : plan_.ops[peak_op].id;
  // A plan of before phases named theirs has none here.
  if (phase.peak_op != first && !(phase.peak_op.empty() && phase.at_peak.empty()))
    refuse(Rule::PeakOp, where, "peak_op " + phase.peak_op + ", the most bytes are alive at " + first);
  const bool over =
      arena->bytes > padded && static_cast<double>(arena->bytes) >
                                   static_cast<double>(least) * plan_.memory.range.worst_ratio * (1 + 1e-9);
  if (over)
    refuse(Rule::Ratio, "memory_plan.range", "peak over bound exceeds worst_ratio in phase " + phase.name);
  return true;
}

// The largest sum of live bytes, and the first op at which it stands.
int64_t Proof::live_bytes(uint32_t p, Evaluator& at, bool padded, uint32_t* op) const {
  const Plan::Phase& phase = plan_.phases[p];
  if (phase.ops_begin == phase.ops_end) return 0;
  std::vector<int64_t> born(phase.ops_end - phase.ops_begin + 1, 0), died = born;
  for (const uint32_t i : arena_[p]) {
    const Plan::Buffer& b = plan_.buffers[i];
    if (b.live_end <= b.live_begin) continue;
    const int64_t bytes =
        padded ? capped_aligned(at(b.bytes).value_or(0), plan_.align) : at(b.bytes).value_or(0);
    int64_t& up = born[b.live_begin - phase.ops_begin];
    int64_t& down = died[b.live_end - phase.ops_begin];
    up = capped_sum(up, bytes), down = capped_sum(down, bytes);
  }
  int64_t live = 0, most = -1;
  for (uint32_t i = phase.ops_begin; i < phase.ops_end; ++i) {
    live = capped_sum(live - died[i - phase.ops_begin], born[i - phase.ops_begin]);
    if (live <= most) continue;
    most = live;
    if (op) *op = i;
  }
  return most;
}

// The ends of all stacks: added up along `above` as expressions.
void Proof::stack_ends(uint32_t p, Maximum& ends) {
  std::unordered_map<uint32_t, Maximum> offsets;
  std::vector<uint32_t> order = arena_[p];
  sort_range(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return rank_[a] < rank_[b]; });
  for (const uint32_t b : order) {
    Maximum& offset = offsets.try_emplace(b, *plan_.pool, facts(p)).first->second;
    for (const uint32_t u : plan_.buffers[b].above) {
      const auto below = offsets.find(u);
      if (below != offsets.end())
        offset.add_all(below->second, plan_.pool->align(plan_.buffers[u].bytes, plan_.align));
    }
    ends.add_all(offset, plan_.buffers[b].bytes);
    if (ends.lost() || offset.lost()) break;
  }
}

// A peak is the largest end of a stack, compared at every size.
bool Proof::check_peak(uint32_t p, const Maximum& ends) {
  const Plan::Phase& phase = plan_.phases[p];
  if (!phase.peak) return true;
  const std::string where = "phases " + phase.name;
  const bool same = ends.is(*phase.peak);
  if (ends.lost()) return refuse(Rule::Work, where, "whether its peak holds takes too many steps to follow");
  if (same) return peak_proven_[p] = 1, true;
  return refuse(Rule::Peak, where,
                "peak " + phase.peak->text().substr(0, 80) + " is not the largest end of its stacks, " +
                    ends.text().substr(0, 80));
}

}  // namespace irplan::proof
