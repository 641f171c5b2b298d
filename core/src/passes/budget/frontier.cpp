// Frontiers: what two dims admit of each other.
#include <algorithm>
#include <functional>

#include "passes/budget/solver.h"

namespace irplan {
namespace {

constexpr size_t kPairedDims = 3;   // dims of which pairs get a frontier, the first ones
constexpr size_t kMostPoints = 12;  // of a frontier that is made finer
constexpr double kFarApart = 1.5;   // partners of neighbouring points: between them lies one to look at

// More points between neighbours whose partners are far apart, the farthest first: halfway, and a point of
// the same partner as its right neighbour is told by that one.
void refine(Frontier& frontier, const std::function<std::optional<int64_t>(int64_t)>& partner) {
  auto& points = frontier.points;
  std::vector<std::pair<int64_t, int64_t>> closed;  // neighbours between which nothing new was found
  while (points.size() < kMostPoints) {
    size_t widest = points.size();
    double most = kFarApart;
    for (size_t i = 0; i + 1 < points.size(); ++i) {
      const double ratio = static_cast<double>(points[i].second) /
                           static_cast<double>(std::max<int64_t>(1, points[i + 1].second));
      const bool known = std::find(closed.begin(), closed.end(),
                                   std::pair(points[i].first, points[i + 1].first)) != closed.end();
      if (ratio > most && points[i + 1].first - points[i].first > 1 && !known) most = ratio, widest = i;
    }
    if (widest == points.size()) return;
    const auto [low, above] = points[widest];
    const auto [high, below] = points[widest + 1];
    const int64_t n = low + (high - low) / 2;
    const auto m = partner(n);
    if (m && below < *m && *m < above)
      points.insert(points.begin() + static_cast<std::ptrdiff_t>(widest) + 1, {n, *m});
    else if (m && *m == above)
      points[widest].first = n;
    else
      closed.emplace_back(low, high);
  }
}

}  // namespace

void Solver::find_frontiers(Answer& answer, const Budget& budget, const Binding& value) const {
  auto dims = dims_that_matter(budget);
  std::erase_if(dims, [&](const Dim* dim) {
    const Interval range = searched(*dim, budget.phase);
    return range.lo == range.hi;
  });
  if (dims.size() > kPairedDims) dims.resize(kPairedDims);
  for (size_t i = 0; i < dims.size(); ++i) {
    for (size_t k = i + 1; k < dims.size(); ++k) {
      if (!may_answer()) return;
      Frontier found = frontier(budget, *dims[i], *dims[k], value);
      // Where more of one dim makes room for more of the other, there is nothing to trade.
      const auto rises = [](const auto& a, const auto& b) { return a.second <= b.second; };
      const bool falls =
          std::adjacent_find(found.points.begin(), found.points.end(), rises) == found.points.end();
      if (!found.points.empty() && falls) answer.frontiers.push_back(std::move(found));
    }
  }
}

Frontier Solver::frontier(const Budget& budget, const Dim& first, const Dim& second,
                          const Binding& value) const {
  const auto fits = [&](const Binding& b) { return meter_->fits(budget, b); };
  const Interval range = searched(first, budget.phase), other = searched(second, budget.phase);
  Binding at = value;
  at[second.index] = other.lo;
  const int64_t most = largest_for(at, first.index, range, fits);
  at[second.index] = other.hi;
  at[first.index] = range.lo;
  const int64_t whole = fits(at) ? largest_for(at, first.index, range, fits) : range.lo;
  Frontier out{first.name, second.name, {}};
  auto tried = by_powers_of_two({range.lo, most});
  tried.insert(std::upper_bound(tried.begin(), tried.end(), whole), whole);
  const auto partner = [&](int64_t n) -> std::optional<int64_t> {
    at[first.index] = n;
    at[second.index] = other.lo;
    if (!fits(at)) return std::nullopt;
    return largest_for(at, second.index, other, fits);
  };
  for (const int64_t n : tried) {
    const auto m = partner(n);
    if (!m) break;
    if (!out.points.empty() && out.points.back().second == *m) out.points.pop_back();
    out.points.emplace_back(n, *m);
  }
  refine(out, partner);
  return out;
}

}  // namespace irplan
