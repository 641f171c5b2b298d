#include "tools/irplan-run/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "tools/irplan-run/figures.h"

namespace irplan::run {
namespace {

constexpr int64_t kFewIterations = 10;
constexpr double kBusyElsewhere = 0.05, kStolen = 0.01, kSlowClock = 0.9, kWideTail = 1.3;

std::string percent(double part) { return std::to_string(std::lround(part * 100)) + "%"; }

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Failure measure(const MeasureLimits& limits, const Seconds& clock, const std::function<Failure()>& work,
                std::vector<double>* samples) {
  samples->clear();
  const double begin = clock();
  while (clock() - begin < limits.warm_up) {
    if (auto failure = work()) return failure;
  }
  const double first = clock();
  double now = first;
  while (static_cast<int64_t>(samples->size()) < limits.least_iterations ||
         now - first < limits.least_seconds) {
    const double before = clock();
    if (auto failure = work()) return failure;
    now = clock();
    samples->push_back(now - before);
  }
  return std::nullopt;
}

Spread spread_of(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const auto count = static_cast<double>(samples.size());
  const size_t middle = samples.size() / 2;
  const double median = samples.size() % 2 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
  return {samples.front(),
          median,
          std::accumulate(samples.begin(), samples.end(), 0.0) / count,
          percentile(samples, 90),
          percentile(samples, 95),
          percentile(samples, 99)};
}

void look(const ProcessorTimes& before, const ProcessorTimes& after, Circumstances* to) {
  const double all = after.all - before.all;
  if (all <= 0) return;
  const double busy = all - (after.idle - before.idle), stolen = after.stolen - before.stolen;
  to->stolen = std::max(0.0, stolen / all);
  to->elsewhere = std::max(0.0, (busy - stolen - (after.own - before.own)) / all);
}

std::vector<std::string> doubts(const Circumstances& of) {
  std::vector<std::string> out;
  if (of.iterations < kFewIterations)
    out.push_back("too few iterations: " + std::to_string(of.iterations) +
                  ", of which a median says little; take " + std::to_string(kFewIterations) + " or more");
  if (of.elsewhere > kBusyElsewhere)
    out.push_back("the machine was busy: others took " + percent(of.elsewhere) +
                  " of its processors' time; end them, and measure again");
  if (of.stolen > kStolen)
    out.push_back("the machine is a guest whose host gave " + percent(of.stolen) +
                  " of its time to others; measure again when the host is idle");
  if (of.clock && *of.clock < kSlowClock)
    out.push_back("a processor runs at " + percent(*of.clock) +
                  " of its highest clock; let it warm up, or set the governor to performance");
  if (of.median > 0 && of.p99 > kWideTail * of.median)
    out.push_back("times are uneven: P99 is " + rate_text(of.p99 / of.median) +
                  " times the median; compare medians, not means");
  if (of.short_ops > 0)
    out.push_back(counted(of.short_ops, "op") + " took less than " + time_text(kShortOp) +
                  ", of which a timing is a part; look at their sums, not at one of them");
  return out;
}

}  // namespace irplan::run
