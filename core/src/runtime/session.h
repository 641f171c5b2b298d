// One plan made ready to run: checked, its memory allocated, its weights loaded and folded; then step after
// step.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plan/bounds.h"
#include "plan/plan.h"
#include "runtime/backend.h"
#include "runtime/memory.h"
#include "runtime/weights.h"

namespace irplan {

// One run of one phase.
struct Step {
  std::string phase;
  StepBinding sizes;
  int64_t first_slot = 0;  // row of axis 0 of the states at which it runs
};

// A plan from a stranger as a plan that can be trusted at any size within its ranges, or the reason why not.
std::unique_ptr<Plan> checked_plan(const std::string& text, const std::string& file, std::string* why);

// Ranges, then guards, then every window, at the sizes of one step.
Failure check_ranges(const Plan& plan, const std::string& phase, const StepBinding& sizes);
Failure check_step(const Plan& plan, const Step& step);

const Plan::Phase* find_phase(const Plan& plan, const std::string& name);
std::optional<uint32_t> find_input(const Plan& plan, const std::string& name);
const Plan::Output* find_output(const Plan& plan, const std::string& name, const std::string& phase);

class Session {
 public:
  Session(const Plan& plan, Backend& backend)
      : plan_(plan), backend_(backend), memory_(plan, backend), bounds_(plan) {}

  // Allocates for steps no larger than those given (weights and state as the first needs them, or for `slots`
  // rows), loads and folds weights.
  Failure prepare(const std::vector<Step>& widest, const WeightSource& source,
                  const LoadProgress& progress = {});
  // The program that runs the step: the one that is bound, if it serves its sizes too, another that was
  // prepared before, or a new one.
  Failure bind(const Step& step);
  // Of the step that is bound.
  Failure set_input(uint32_t value, const HostArray& array);
  Failure run();
  // One op alone, waited for; for profiles.
  Failure run_one(uint32_t op);
  std::optional<HostArray> read(uint32_t value, std::string* why);

  const PerSegment& predicted() const { return predicted_; }
  const PerSegment& allocated() const { return memory_.allocated(); }
  const WeightReport& weights() const { return report_; }
  const RunMemory& memory() const { return memory_; }
  // The records of the step that is bound; null where the backend has none.
  const Schedule* schedule() const { return bound_ ? bound_->program->schedule() : nullptr; }

 private:
  // A phase at one set of static sizes.
  struct Prepared {
    std::string phase;
    std::optional<int64_t>
        first_slot;  // the only one at which it runs; none: any, as the control numbers say
    Layout layout;
    std::unique_ptr<Program> program;
    PlanMemory memory;  // addresses on the device
  };
  static constexpr size_t kMostPrepared = 64;  // then the oldest goes

  Failure load(const Step& step, const WeightSource& source, const LoadProgress& progress);
  // What the backend's kernels refuse of a step, before weights are loaded for it.
  Failure check_records(const Step& step) const;
  Failure prepare_program(const Step& step);
  Failure prepare_at(const Step& step, std::optional<int64_t> first_slot, Prepared& out);
  bool yields_states(const std::string& phase) const;
  bool serves(const Prepared& prepared, const Step& step) const {
    return prepared.first_slot.value_or(step.first_slot) == step.first_slot && prepared.phase == step.phase &&
           prepared.program->serves(step.sizes);
  }

  const Plan& plan_;
  Backend& backend_;
  RunMemory memory_;
  const PlanBounds bounds_;
  PerSegment predicted_;
  WeightReport report_;
  Step step_;  // its sizes' slot counts from where the layout of the bound program has the states
  std::vector<std::unique_ptr<Prepared>> prepared_;
  Prepared* bound_ = nullptr;
  std::vector<std::byte> staged_;  // of an input
};

}  // namespace irplan
