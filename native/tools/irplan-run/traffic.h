// What a step reads and computes, by the plan's own formulas: the work that rates are about.
#pragma once

#include <vector>

#include "plan/plan.h"
#include "runtime/session.h"

namespace irplan::run {

struct Traffic {
  double weights = 0, state = 0;  // bytes that are read of them
  double bytes = 0, flops = 0;    // of all operands and results

  double held() const { return weights + state; }
  Traffic& operator+=(const Traffic& other);
};

// Of one op; a ragged step counts what its sequences have, not what the longest has.
Traffic traffic_of(const Plan& plan, uint32_t op, const StepBinding& sizes);
// Of a step.
Traffic traffic_of(const Plan& plan, const Step& step);

}  // namespace irplan::run
