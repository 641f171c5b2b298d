#include "passes/admitted.h"

#include <algorithm>

#include "passes/measure.h"

namespace irplan {
namespace {

constexpr int64_t kMostLooks = 16384;  // at a relation on a part
constexpr int64_t kFewestParts = 64;
constexpr int64_t kFarCorner = int64_t{1} << 40;  // the upper corner of a range without an end

class Search {
 public:
  explicit Search(const std::vector<Constraint>& relations) : relations_(relations) {
    for (const Constraint& c : relations) {
      for (const DimIndex dim : dims_of(c.left - c.right)) {
        if (std::find(dims_.begin(), dims_.end(), dim) == dims_.end()) dims_.push_back(dim);
      }
    }
  }

  Admitted run(const Ranges& all) {
    std::vector<Ranges> open{all};
    bool refuted = true;
    const int64_t most =
        std::max(kFewestParts, kMostLooks / std::max<int64_t>(1, static_cast<int64_t>(relations_.size())));
    int64_t parts = 0;
    for (; !open.empty(); ++parts) {
      if (parts == most) return {Truth::Unknown, {}, parts};
      const Ranges ranges = std::move(open.back());
      open.pop_back();
      if (refuted_on(ranges)) continue;
      for (const bool low : {true, false}) {
        Binding corner;
        for (const Interval& range : ranges) corner.push_back(low ? range.lo : upper(range));
        for (DimIndex dim = 0; dim < corner.size(); ++dim) {
          if (std::find(dims_.begin(), dims_.end(), dim) == dims_.end()) corner[dim] = all[dim].lo;
        }
        const auto met = [&](const Constraint& c) { return holds(c, corner); };
        if (std::all_of(relations_.begin(), relations_.end(), met))
          return {Truth::Yes, std::move(corner), parts};
      }
      if (!halve(ranges, open)) refuted = refuted && single(ranges);
    }
    return {refuted ? Truth::No : Truth::Unknown, {}, parts};
  }

 private:
  static int64_t upper(const Interval& range) { return std::min(range.hi, std::max(range.lo, kFarCorner)); }

  bool refuted_on(const Ranges& ranges) const {
    return std::any_of(relations_.begin(), relations_.end(), [&](const Constraint& c) {
      const Expr difference = resolved(c.left - c.right, ranges);
      return decide(difference, c.relation, difference.pool().constant(0), ranges) == Truth::No;
    });
  }

  bool single(const Ranges& ranges) const {
    return std::all_of(dims_.begin(), dims_.end(),
                       [&](DimIndex dim) { return ranges[dim].lo == ranges[dim].hi; });
  }

  // The widest of the dims, by ratio, in two; the lower part is looked at first.
  bool halve(const Ranges& ranges, std::vector<Ranges>& out) const {
    const Interval* widest = nullptr;
    double most = 1;
    for (const DimIndex dim : dims_) {
      const Interval& range = ranges[dim];
      const double wide = (static_cast<double>(range.hi) + 1) / (static_cast<double>(range.lo) + 1);
      if (wide > most && range.lo < kLargestLow) most = wide, widest = &range;
    }
    if (!widest) return false;
    const auto dim = static_cast<DimIndex>(widest - ranges.data());
    const Interval range = *widest;
    const int64_t middle = range.lo + std::min((range.hi - range.lo) / 2, range.lo * 3 + 1);
    for (const Interval part : {Interval{middle + 1, range.hi}, Interval{range.lo, middle}}) {
      out.push_back(ranges);
      out.back()[dim] = part;
    }
    return true;
  }

  const std::vector<Constraint>& relations_;
  std::vector<DimIndex> dims_;
};

}  // namespace

Admitted find_sizes(const std::vector<Constraint>& relations, const Ranges& ranges) {
  return Search(relations).run(ranges);
}

}  // namespace irplan
