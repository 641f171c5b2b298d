#include "runtime/statistics.h"

#include <algorithm>
#include <cmath>

namespace irplan {
namespace {

template <class Body>
void for_each_number(const HostArray& array, const Body& body) {
  for (const float x : array.f) body(static_cast<double>(x));
  for (const int64_t n : array.i) body(static_cast<double>(n));
}

}  // namespace

Statistics statistics(const HostArray& array) {
  Statistics out;
  double sum = 0;
  for_each_number(array, [&](double x) {
    ++out.count;
    if (std::isnan(x)) ++out.nan;
    if (std::isinf(x)) ++out.infinite;
    if (!std::isfinite(x)) return;
    const bool first = out.finite() == 1;
    out.least = first ? x : std::min(out.least, x);
    out.largest = first ? x : std::max(out.largest, x);
    sum += x;
  });
  if (out.finite() == 0) return out;
  out.mean = sum / static_cast<double>(out.finite());
  double squares = 0;
  for_each_number(array, [&](double x) {
    if (std::isfinite(x)) squares += (x - out.mean) * (x - out.mean);
  });
  out.deviation = std::sqrt(squares / static_cast<double>(out.finite()));
  return out;
}

std::vector<int64_t> histogram(const HostArray& array, const Statistics& of, int bins) {
  std::vector<int64_t> out(static_cast<size_t>(bins), 0);
  const double width = of.largest - of.least;
  for_each_number(array, [&](double x) {
    if (!std::isfinite(x)) return;
    const double share = width > 0 ? (x - of.least) / width : 0.5;
    ++out[std::min(out.size() - 1, static_cast<size_t>(share * bins))];
  });
  return out;
}

}  // namespace irplan
