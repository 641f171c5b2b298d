// One plan made ready to run: checked, its memory allocated, its weights loaded and folded; then step after
// step.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "irplan/result.h"
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
  int64_t first_slot = 0;  // row of axis 0 of the states at which it runs; unless its sizes say `slots`
};

// A plan from a stranger as a plan that can be trusted at any size within its ranges, or the reason why not.
Result<Plan> checked_plan(const std::string& text, const std::string& file);

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

  // Allocates for steps no larger than those given (weights and state as the largest of them needs), makes
  // their programs, so that what cannot run is refused early, then loads and folds weights.
  Failure prepare(const std::vector<Step>& widest, const WeightSource& source,
                  const LoadProgress& progress = {});
  // The program that runs the step: the one that is bound, if it serves its sizes too, another that was
  // prepared before, or a new one.
  Failure bind(const Step& step);
  // Of the step that is bound.
  Failure set_input(uint32_t value, const HostArray& array);
  // Waits until it is done. A range that holds no op is all of a step but its kernels; for profiles.
  Failure run(OpRange only = {});
  Result<HostArray> read(uint32_t value);
  // Of an output [B, …, V] of floats row `at[b]` of each sequence, or its last where it has fewer, one behind
  // the other: logits without what a run does not look at. `width` takes V.
  Failure read_rows(uint32_t value, const std::vector<int64_t>& at, std::vector<float>* out, int64_t* width);
  // Whether sequences of the phase may lie anywhere in the states, as a program that was prepared for it
  // says.
  bool any_slots(const std::string& phase) const;
  // Zeros for what sequences have in their states: a measured step reads numbers.
  Failure clear_states();

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
    BufferPlaces layout;
    std::unique_ptr<Program> program;
    PlanMemory memory;  // addresses on the device
  };
  static constexpr size_t kMostPrepared = 64;  // then goes what has not been bound for longest

  Failure load(const Step& step, const WeightSource& source, const LoadProgress& progress);
  Failure prepare_program(const Step& step);
  Failure prepare_at(const Step& step, std::optional<int64_t> first_slot, Prepared& out);
  bool yields_states(const std::string& phase) const;
  bool serves(const Prepared& prepared, const Step& step) const {
    const bool lies = step.sizes.slots.empty()
                          ? prepared.first_slot.value_or(step.first_slot) == step.first_slot
                          : !prepared.first_slot;
    return lies && prepared.phase == step.phase && prepared.program->serves(step.sizes);
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
  std::vector<std::byte> staged_;  // of an input, or an output
};

}  // namespace irplan
