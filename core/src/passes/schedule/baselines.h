// Orders that need no search: what the chosen one is compared with.
#pragma once

#include "passes/schedule/phase_model.h"

namespace irplan::scheduling {

// What an op needs right before it, from the last ops on.
Order depth_first(const PhaseModel& model);

// Of the ops that could run, always the one behind which the least is alive, at one of the sizes.
Order list_order(const PhaseModel& model, const Sizes& sizes);

}  // namespace irplan::scheduling
