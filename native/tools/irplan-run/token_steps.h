// How a plan takes tokens: which input they are, which dims count sequences, new tokens and tokens held, and
// which phase admits a step.
//
//     tokens  1 2 3 4 5 6 7          one step of prefill if the ranges admit it, else the largest that they
//     do; steps   [S=4, P=0][S=3, P=4]   --chunks says other sizes; a step of 1 goes to `decode` where that
//     admits it
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "irplan/result.h"
#include "plan/plan.h"
#include "runtime/session.h"
#include "tools/irplan-run/options.h"

namespace irplan::run {

class TokenSteps {
 public:
  // Fails where the plan does not take tokens, and says what it lacks.
  static Result<TokenSteps> of(const Plan& plan, const Options& options);

  uint32_t input() const { return input_; }
  // The step of `count` new tokens of each of `positions.size()` sequences that hold so many already; the
  // failure of the phase that fits best where none admits it.
  Result<Step> step(int64_t count, const std::vector<int64_t>& positions) const;
  // Likewise with as many new tokens of each sequence as `counts` has, where the plan's steps may differ in
  // them: `mixed`.
  Result<Step> step(const std::vector<int64_t>& counts, const std::vector<int64_t>& positions) const;
  // The largest step of at most `count` tokens; none where not even one token is admitted.
  Result<Step> largest(int64_t count, const std::vector<int64_t>& positions, int64_t* taken) const;
  bool holds_positions() const { return position_.has_value(); }
  DimIndex position() const { return *position_; }  // of a plan that holds them
  // Whether the sequences of one step may hold different numbers of tokens.
  bool ragged() const { return position_ && !plan_->dims[*position_].per.empty(); }
  // Whether they may differ in new tokens as well, and the logits have a row for each of these.
  bool mixed() const { return ragged() && own_counts_.has_value(); }

 private:
  explicit TokenSteps(const Plan& plan) : plan_(&plan) {}
  Result<StepBinding> sizes(const Plan::Phase& phase, const std::vector<int64_t>& counts,
                            const std::vector<int64_t>& positions) const;

  const Plan* plan_;
  uint32_t input_ = kAbsent;
  std::optional<DimIndex> position_;
  std::optional<DimIndex> own_counts_;      // the dim of new tokens, where it is ragged
  std::vector<const Plan::Phase*> phases_;  // those that may run, in the order in which they are tried
  std::vector<NamedSizes> given_;           // --dim
};

}  // namespace irplan::run
