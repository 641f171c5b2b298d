#include "tools/irplan-run/slots.h"

#include <algorithm>

namespace irplan::run {
namespace {

constexpr int64_t kTogether = 512;              // tokens of a step of several prompts that room is made for
constexpr int64_t kLongest = int64_t{1} << 40;  // tokens of a sequence that are looked at
constexpr int64_t kMostSequences = int64_t{1} << 20;  // sequences of a step that are looked at

}  // namespace

// The most of each segment over the steps; of one phase alone where one is named. None where a number exceeds
// 64 bits.
std::optional<PerSegment> SlotPlanner::most_of(const std::vector<Step>& steps,
                                               const std::string& phase) const {
  PerSegment most;
  for (const Step& step : steps) {
    if (!phase.empty() && phase != step.phase) continue;
    const auto bytes = predicted_bytes(plan_, step.phase, step.sizes.dims);
    if (!bytes) return std::nullopt;
    most.weights = std::max(most.weights, bytes->weights);
    most.state = std::max(most.state, bytes->state);
    most.inputs = std::max(most.inputs, bytes->inputs);
    most.arena = std::max(most.arena, bytes->arena);
  }
  return most;
}

std::optional<std::string> SlotPlanner::over_budget(const std::vector<Step>& steps) const {
  for (const Plan::Budget& budget : plan_.budget) {
    if (!budget.limit) continue;
    const auto most = most_of(steps, budget.phase);
    const auto used = most ? counted_bytes(budget, *most) : std::nullopt;
    if (!used) return "its bytes exceed 64 bits";
    int64_t limit = INT64_MAX;
    for (const Step& step : steps)
      limit = std::min(limit, evaluate(*budget.limit, step.sizes.dims).value_or(0));
    if (*used <= limit) continue;
    return "over the budget `" + budget.expr + "`: " + std::to_string(*used) + " of " +
           std::to_string(limit) + " bytes";
  }
  return std::nullopt;
}

int64_t SlotPlanner::capacity() const {
  const auto admitted = [&](int64_t held) { return static_cast<bool>(steps_.step(1, {held})); };
  if (!admitted(0)) return 0;
  int64_t low = 0, high = 1;
  while (high < kLongest && admitted(high)) low = high, high *= 2;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (admitted(middle) ? low : high) = middle;
  }
  return low + 1;
}

// Sizes only grow with tokens and positions, so that the last whole step of the longest prompt and the rest
// of it hold all steps of all prompts. None where the plan admits no such steps, or a budget does not hold
// them.
std::optional<std::vector<Step>> SlotPlanner::steps_for(int64_t slots, int64_t chunk,
                                                        const Demand& demand) const {
  std::vector<Step> out;
  const int64_t whole = demand.longest_prompt / chunk, rest = demand.longest_prompt % chunk;
  const auto add = [&](int64_t count, const std::vector<int64_t>& positions) {
    auto step = steps_.step(count, positions);
    if (step) out.push_back(std::move(*step));
    return static_cast<bool>(step);
  };
  if (whole > 0 && !add(chunk, {(whole - 1) * chunk})) return std::nullopt;
  if (rest > 0 && !add(rest, {whole * chunk})) return std::nullopt;
  if (!add(1, std::vector<int64_t>(static_cast<size_t>(slots), demand.longest - 1))) return std::nullopt;
  if (over_budget(out)) return std::nullopt;
  return out;
}

void SlotPlanner::widen(Slots& slots, const Demand& demand) const {
  const int64_t each = std::min(slots.chunk, demand.longest_prompt);
  slots.most_tokens = std::max(each, slots.count);
  for (int64_t rows = std::min(slots.count, kTogether / each); rows > 1; --rows) {
    const int64_t held = std::max<int64_t>(0, demand.longest_prompt / each - 1) * each;
    auto step = steps_.step(each, std::vector<int64_t>(static_cast<size_t>(rows), held));
    if (!step || check_step(plan_, *step)) continue;
    std::vector<Step> all = slots.widest;
    all.push_back(std::move(*step));
    if (over_budget(all)) continue;
    slots.widest = std::move(all);
    slots.most_tokens = std::max(slots.most_tokens, rows * each);
    return;
  }
}

Slots SlotPlanner::most_slots(int64_t chunk, int64_t end, const Demand& demand) const {
  Slots out;
  out.chunk = chunk;
  int64_t high = end + 1;
  while (high - out.count > 1) {
    const int64_t middle = out.count + (high - out.count) / 2;
    auto steps = steps_for(middle, chunk, demand);
    if (!steps) {
      high = middle;
      continue;
    }
    out.count = middle;
    out.widest = std::move(*steps);
  }
  return out;
}

Result<Slots> SlotPlanner::plan(const Demand& demand, const Options& options) const {
  if (options.slots.value_or(1) > kMostSequences)
    return Error{"--slots " + std::to_string(*options.slots) + ": at most " + std::to_string(kMostSequences) +
                 " requests are served at once"};
  const int64_t wanted = options.slots.value_or(std::min(demand.at_once, kMostSequences));
  int64_t longest_step = 0;
  const int64_t asked = options.chunks.empty() ? demand.longest_prompt : options.chunks[0];
  const auto largest = steps_.largest(std::min(asked, demand.longest_prompt), {0}, &longest_step);
  if (!largest) return largest.error();
  Slots best;
  for (int64_t chunk = longest_step; chunk > 0 && best.count < wanted; chunk /= 2) {
    Slots found = most_slots(chunk, wanted, demand);
    if (found.count > best.count) best = std::move(found);
    if (!options.chunks.empty()) break;
  }
  const std::string sequences = " of " + std::to_string(demand.longest) + " tokens";
  if (best.count == 0)
    return Error{"the budget holds no sequence" + sequences + ", which the longest request needs"};
  if (options.slots && best.count < wanted)
    return Error{"--slots " + std::to_string(wanted) + ": the plan holds " + std::to_string(best.count) +
                 (best.count == 1 ? " sequence" : " sequences") + sequences};
  for (const Step& step : best.widest) {
    if (auto failure = check_step(plan_, step)) return Error{*failure};
  }
  widen(best, demand);
  const auto one = steps_.step(1, {demand.longest - 1});
  const auto bytes = one ? predicted_bytes(plan_, one->phase, one->sizes.dims) : std::nullopt;
  best.state_bytes = bytes ? bytes->state : 0;
  return best;
}

}  // namespace irplan::run
