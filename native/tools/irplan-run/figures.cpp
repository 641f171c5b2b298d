#include "tools/irplan-run/figures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace irplan::run {

std::string rate_text(double rate) {
  char text[40];
  std::snprintf(text, sizeof text, std::fabs(rate) < 1000 ? "%.3g" : "%.0f", rate);
  return text;
}

std::string counted(int64_t n, const std::string& one) {
  return std::to_string(n) + " " + one + (n == 1 ? "" : "s");
}

double percentile(const std::vector<double>& sorted, size_t part) {
  const size_t rank = (sorted.size() * part + 99) / 100;
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace irplan::run
