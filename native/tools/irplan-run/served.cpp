#include "tools/irplan-run/served.h"

#include <algorithm>
#include <cstdio>

namespace irplan::run {
namespace {

// "850 us", "12.3 ms", "4.56 s"
std::string time_text(int64_t us) {
  char text[32];
  if (us < 1000)
    std::snprintf(text, sizeof text, "%lld us", static_cast<long long>(us));
  else if (us < 1000000)
    std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(us) * 1e-3);
  else
    std::snprintf(text, sizeof text, "%.2f s", static_cast<double>(us) * 1e-6);
  return text;
}

// The least time that a part of them, in hundredths, does not exceed.
int64_t percentile(const std::vector<int64_t>& sorted, size_t part) {
  const size_t rank = (sorted.size() * part + 99) / 100;
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

std::string percentiles(const char* what, std::vector<int64_t> us) {
  if (us.empty()) return "";
  std::sort(us.begin(), us.end());
  return std::string(what) + ": p50 " + time_text(percentile(us, 50)) + ", p90 " +
         time_text(percentile(us, 90)) + ", p99 " + time_text(percentile(us, 99)) + "\n";
}

}  // namespace

std::string Served::text(int64_t unanswered) const {
  std::string out = "served " + std::to_string(served) + " requests, rejected " + std::to_string(rejected);
  if (failed > 0) out += ", failed " + std::to_string(failed);
  if (unanswered > 0) out += ", unanswered " + std::to_string(unanswered);
  char line[160];
  std::snprintf(line, sizeof line, ", in %.3f s of steps\n", static_cast<double>(busy_us) * 1e-6);
  out += line;
  if (read + generated == 0) return out;
  const double seconds = std::max(static_cast<double>(busy_us) * 1e-6, 1e-9);
  std::snprintf(line, sizeof line,
                "tokens: %lld read, %lld generated, %.1f a second of steps; at most %lld requests at once\n",
                static_cast<long long>(read), static_cast<long long>(generated),
                static_cast<double>(generated) / seconds, static_cast<long long>(most_at_once));
  return out + line + percentiles("time to first token", first_us_) + percentiles("decode step", step_us_);
}

}  // namespace irplan::run
