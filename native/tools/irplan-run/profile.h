// Where the time of a run goes: op by op over its steps; as a table, as JSON, and as a trace for
// chrome://tracing and ui.perfetto.dev.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "runtime/session.h"
#include "tools/irplan-run/measure.h"
#include "tools/irplan-run/options.h"

namespace irplan::run {

class Profile {
 public:
  using Run = std::function<Failure(OpRange)>;  // the ops of the range, waited for

  explicit Profile(const Plan& plan, Seconds clock = steady_seconds);
  // Runs the step that is bound one op at a time. What a step takes without any op is taken off each.
  Failure run(const Step& step, const Run& run);
  // The table and what makes it doubtful on stderr, and the files that are asked for.
  Exit show(const Options& options);

  std::string table() const;
  std::string json(const std::vector<std::string>& doubts) const;
  std::string trace() const;
  // Without what the machine did meanwhile.
  Circumstances circumstances() const;

  // Ops that have a name in common, or one.
  struct Row {
    std::string name;
    int64_t ops = 0, calls = 0;
    double seconds = 0, bytes = 0, flops = 0;
    Row& operator+=(const Row& other);
  };
  Row of_op(uint32_t op) const;

 private:
  struct Event {
    uint32_t op = 0;
    double begin = 0, seconds = 0;
  };
  struct StepSpan {
    std::string name;  // "decode P=17"
    double begin = 0, seconds = 0;
  };
  using NameOf = std::function<std::string(const Plan::Op&)>;
  std::vector<Row> rows(const NameOf& name_of) const;  // the slowest first

  const Plan& plan_;
  Seconds clock_;
  ProcessorTimes before_;
  double origin_;
  std::vector<Event> events_;  // of the first kMostEvents
  std::vector<StepSpan> steps_;
  std::vector<double> seconds_, bytes_, flops_;  // by op
  std::vector<int64_t> calls_;
};

// Ops of one kind in all layers: "model.layers.*.mlp.up_proj" by the weight, "i.*/keys" where there is none.
std::string layer_class(const Plan& plan, const Plan::Op& op);

}  // namespace irplan::run
