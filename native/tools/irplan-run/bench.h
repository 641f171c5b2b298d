// irplan-run --bench: how long a step takes, again and again, and how much of the machine that is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "runtime/session.h"
#include "tools/irplan-run/ceilings.h"
#include "tools/irplan-run/measure.h"
#include "tools/irplan-run/options.h"
#include "tools/irplan-run/traffic.h"

namespace irplan::run {

struct BenchReport {
  std::string step, device;  // "decode at B=1, S=1, P=128"; "cpu, 2 threads, AVX2"
  MeasureLimits limits;
  std::vector<double> samples;  // seconds of a step
  Traffic traffic;              // of a step
  int64_t tokens = 0;           // that a step takes; 0: it takes none
  double host = 0;              // seconds of a step without its kernels
  std::optional<Ceilings> ceilings;
  std::string no_ceilings;  // why there are none
  std::vector<std::string> doubts;
};

std::string bench_text(const BenchReport& report);
std::string bench_json(const BenchReport& report);

struct InputArray {
  uint32_t value;
  HostArray array;
};

// Measures the step, which is checked and whose session is prepared, and says what came out.
Exit run_bench(const Plan& plan, Backend& backend, const Options& options, Session& session, const Step& step,
               const std::vector<InputArray>& inputs);

}  // namespace irplan::run
