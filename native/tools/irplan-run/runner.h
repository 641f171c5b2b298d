// The three ways to run a plan: one step, a sequence of tokens, and requests.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "plan/plan.h"
#include "runtime/session.h"
#include "tools/irplan-run/options.h"

namespace irplan::run {

Exit run_once(const Plan& plan, Backend& backend, const Options& options);
Exit run_tokens(const Plan& plan, Backend& backend, const Options& options);
Exit run_requests(const Plan& plan, Backend& backend, const Options& options);

// ---- shared by them
// Why a report that is asked for could not be written.
Failure cannot_write_reports(const Options& options);
// Weights as --weights says; a message where the plan reads some and none are given.
std::optional<WeightSource> weights_for(const Plan& plan, const Options& options);
// Session::prepare with progress on stderr, then what it took; false after a message.
// With --schedule: the records of the step that is bound, on stderr, once for each program.
class ScheduleReport {
 public:
  explicit ScheduleReport(const Options& options) : wanted_(options.schedule) {}
  void show(const Plan& plan, const Session& session, const Step& step);

 private:
  bool wanted_;
  std::vector<const Schedule*> shown_;
};
bool prepare(Session& session, const std::vector<Step>& widest, const WeightSource& source,
             const Backend& backend, const Options& options);

}  // namespace irplan::run
