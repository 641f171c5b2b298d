#include "tools/irplan-run/served.h"

#include <algorithm>
#include <cstdio>

#include "tools/irplan-run/figures.h"

namespace irplan::run {
namespace {

std::string percentiles(const char* what, const std::vector<int64_t>& us) {
  if (us.empty()) return "";
  std::vector<double> seconds;
  for (const int64_t one : us) seconds.push_back(static_cast<double>(one) * 1e-6);
  std::sort(seconds.begin(), seconds.end());
  const auto part = [&](size_t hundredths) { return time_text(percentile(seconds, hundredths)); };
  return std::string(what) + ": p50 " + part(50) + ", p90 " + part(90) + ", p99 " + part(99) + "\n";
}

}  // namespace

std::string Served::text(int64_t unanswered) const {
  std::string out = "served " + counted(served, "request") + ", rejected " + std::to_string(rejected);
  if (failed > 0) out += ", failed " + std::to_string(failed);
  if (malformed > 0) out += ", malformed lines " + std::to_string(malformed);
  if (unanswered > 0) out += ", unanswered " + std::to_string(unanswered);
  out += ", in " + time_text(static_cast<double>(busy_us) * 1e-6) + " of steps\n";
  if (read + generated == 0) return out;
  const double seconds = std::max(static_cast<double>(busy_us) * 1e-6, 1e-9);
  char line[160];
  std::snprintf(line, sizeof line,
                "tokens: %lld read, %lld generated, %.1f a second of steps; at most %s at once\n",
                static_cast<long long>(read), static_cast<long long>(generated),
                static_cast<double>(generated) / seconds, counted(most_at_once, "request").c_str());
  return out + line + percentiles("time to first token", first_us_) + percentiles("decode step", step_us_);
}

}  // namespace irplan::run
