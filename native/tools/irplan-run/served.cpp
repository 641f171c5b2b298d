#include "tools/irplan-run/served.h"

#include <algorithm>
#include <cstdio>

#include "base/times.h"

namespace irplan::run {
namespace {

std::string microseconds_text(int64_t us) { return time_text(static_cast<double>(us) * 1e-6); }

std::string counted(int64_t requests) {
  return std::to_string(requests) + (requests == 1 ? " request" : " requests");
}

// The least time that a part of them, in hundredths, does not exceed.
int64_t percentile(const std::vector<int64_t>& sorted, size_t part) {
  const size_t rank = (sorted.size() * part + 99) / 100;
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

std::string percentiles(const char* what, std::vector<int64_t> us) {
  if (us.empty()) return "";
  std::sort(us.begin(), us.end());
  return std::string(what) + ": p50 " + microseconds_text(percentile(us, 50)) + ", p90 " +
         microseconds_text(percentile(us, 90)) + ", p99 " + microseconds_text(percentile(us, 99)) + "\n";
}

}  // namespace

std::string Served::text(int64_t unanswered) const {
  std::string out = "served " + counted(served) + ", rejected " + std::to_string(rejected);
  if (failed > 0) out += ", failed " + std::to_string(failed);
  if (malformed > 0) out += ", malformed lines " + std::to_string(malformed);
  if (unanswered > 0) out += ", unanswered " + std::to_string(unanswered);
  out += ", in " + microseconds_text(busy_us) + " of steps\n";
  if (read + generated == 0) return out;
  const double seconds = std::max(static_cast<double>(busy_us) * 1e-6, 1e-9);
  char line[160];
  std::snprintf(line, sizeof line,
                "tokens: %lld read, %lld generated, %.1f a second of steps; at most %s at once\n",
                static_cast<long long>(read), static_cast<long long>(generated),
                static_cast<double>(generated) / seconds, counted(most_at_once).c_str());
  return out + line + percentiles("time to first token", first_us_) + percentiles("decode step", step_us_);
}

}  // namespace irplan::run
