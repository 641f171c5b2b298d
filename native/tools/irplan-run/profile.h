// Where the time of a run goes: op by op, summed over its steps.
#pragma once

#include <vector>

#include "plan/plan.h"
#include "runtime/session.h"

namespace irplan::run {

class Profile {
 public:
  explicit Profile(const Plan& plan)
      : plan_(plan), seconds_(plan.ops.size(), 0), bytes_(plan.ops.size(), 0), flops_(plan.ops.size(), 0) {}
  // Runs the bound step one op at a time.
  Failure run(Session& session, const Step& step);
  // A table on stderr: by operator, then the slowest ops.
  void show() const;

 private:
  const Plan& plan_;
  std::vector<double> seconds_, bytes_, flops_;  // by op
};

}  // namespace irplan::run
