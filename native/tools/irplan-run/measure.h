// Repeated timing, and whether its figures can be trusted. The clock is the caller's, so that tests have one
// of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/backend.h"
#include "runtime/machine.h"

namespace irplan::run {

using Seconds = std::function<double()>;  // since any moment
double steady_seconds();

// As trtexec has them.
struct MeasureLimits {
  double warm_up = 0.2, least_seconds = 3;
  int64_t least_iterations = 10;
};

// What runs of `work` took, after as many to warm up as the limits say. A run that fails ends it.
Failure measure(const MeasureLimits& limits, const Seconds& clock, const std::function<Failure()>& work,
                std::vector<double>* samples);

// Of samples in seconds, at least one.
struct Spread {
  double least = 0, median = 0, mean = 0, p90 = 0, p95 = 0, p99 = 0;
};
Spread spread_of(std::vector<double> samples);

// Under what circumstances something was timed.
struct Circumstances {
  int64_t iterations = 0;
  double median = 0, p99 = 0;
  double elsewhere = 0;                        // the part of the machine's time that others took
  double stolen = 0;                           // the part that other guests of its host took
  std::optional<double> clock = std::nullopt;  // of the slowest processor, as a part of its highest
  int64_t short_ops = 0;                       // that took less than a timing can tell
};
// The time between two looks at the processors.
void look(const ProcessorTimes& before, const ProcessorTimes& after, Circumstances* to);
// Why figures cannot be trusted, and what would help; a sentence each.
std::vector<std::string> doubts(const Circumstances& of);

constexpr double kShortOp = 5e-6;  // seconds

}  // namespace irplan::run
