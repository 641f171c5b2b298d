// How many requests are served at once, and in which steps their prompts are read: what the budgets of the
// plan hold. Longer steps take more of the arena, and leave less for the states of slots.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "irplan/result.h"
#include "plan/plan.h"
#include "runtime/session.h"
#include "tools/irplan-run/options.h"
#include "tools/irplan-run/token_steps.h"

namespace irplan::run {

// What requests ask for, all of them together.
struct Demand {
  int64_t at_once = 0;         // requests that could be served together
  int64_t longest_prompt = 1;  // tokens
  int64_t longest = 1;         // tokens that a sequence holds when it ends
};

struct Slots {
  int64_t count = 0, chunk = 0;  // rows of the states; tokens of the longest step of a prompt
  int64_t most_tokens = 0;       // of a step of several prompts
  std::vector<Step> widest;      // steps whose memory holds all others
  int64_t state_bytes = 0;       // of one slot
};

class SlotPlanner {
 public:
  SlotPlanner(const Plan& plan, const TokenSteps& steps) : plan_(plan), steps_(steps) {}

  // The most slots, then the longest steps; --slots and --chunks where they are given. None where the budgets
  // hold not one, or fewer than were asked for.
  Result<Slots> plan(const Demand& demand, const Options& options) const;
  // A budget in bytes that these steps would break, in its own words.
  std::optional<std::string> over_budget(const std::vector<Step>& steps) const;
  // The most tokens that a sequence can hold; 0 where not one is admitted.
  int64_t capacity() const;

 private:
  std::optional<PerSegment> most_of(const std::vector<Step>& steps, const std::string& phase) const;
  std::optional<std::vector<Step>> steps_for(int64_t slots, int64_t chunk, const Demand& demand) const;
  // Room for steps of several prompts, where that takes none from the slots.
  void widen(Slots& slots, const Demand& demand) const;
  Slots most_slots(int64_t chunk, int64_t end, const Demand& demand) const;

  const Plan& plan_;
  const TokenSteps& steps_;
};

}  // namespace irplan::run
