// What holds of expressions over ranges of dims: bounds, decided relations, monotonicity.
#include <algorithm>

#include "base/sort.h"
#include "dims/expr.h"

namespace irplan {
namespace {

constexpr int64_t kLowest = INT64_MIN;              // stands for no lower bound
constexpr int64_t kHighest = Interval::kUnbounded;  // stands for no upper bound
constexpr int kMaxCorners = 1 << 10;                // endpoints tried to decide a relation

int64_t saturate(__int128 n) {
  if (n >= kHighest) return kHighest;
  if (n <= kLowest) return kLowest;
  return static_cast<int64_t>(n);
}

// Arithmetic of bounds, where the extremes mean "unbounded" and 0 times unbounded is 0.
int64_t plus(int64_t a, int64_t b) {
  if (a == kLowest || b == kLowest) return kLowest;
  if (a == kHighest || b == kHighest) return kHighest;
  return saturate(static_cast<__int128>(a) + b);
}

int64_t times(int64_t a, int64_t b) {
  if (a == 0 || b == 0) return 0;
  const bool infinite = a == kLowest || a == kHighest || b == kLowest || b == kHighest;
  if (infinite) return (a < 0) == (b < 0) ? kHighest : kLowest;
  return saturate(static_cast<__int128>(a) * b);
}

Interval times(Interval a, Interval b) {
  const int64_t corners[] = {times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi)};
  return {*std::min_element(corners, corners + 4), *std::max_element(corners, corners + 4)};
}

int64_t quotient(int64_t a, int64_t b, bool up) {
  if (a == kLowest || a == kHighest) return a;
  if (b == kHighest) return a > 0 && up ? 1 : a < 0 && !up ? -1 : 0;
  int64_t q = a / b;
  if (a % b != 0 && (a > 0) == up) q += up ? 1 : -1;
  return q;
}

Interval bounds_of(const Atom& atom, const Ranges& ranges) {
  if (atom.dim) return *atom.dim < ranges.size() ? ranges[*atom.dim] : Interval{};
  const Interval a = bounds(atom.a, ranges);
  const Interval b = bounds(atom.b, ranges);
  switch (atom.function) {
    case Function::Min: return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
    case Function::Max: return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
    case Function::Mod: return {0, b.hi == kHighest ? kHighest : std::max<int64_t>(b.hi - 1, 0)};
    default: break;
  }
  const bool up = atom.function == Function::Ceildiv;
  const int64_t least = std::max<int64_t>(b.lo, 1), most = std::max<int64_t>(b.hi, 1);
  const int64_t corners[] = {quotient(a.lo, least, up), quotient(a.lo, most, up), quotient(a.hi, least, up),
                             quotient(a.hi, most, up)};
  return {*std::min_element(corners, corners + 4), *std::max_element(corners, corners + 4)};
}

void collect(Expr e, std::vector<DimIndex>& out) {
  for (const Term& term : e.node().terms) {
    for (const Atom* factor : term.monomial->factors) {
      if (factor->dim) {
        out.push_back(*factor->dim);
      } else {
        collect(factor->a, out);
        collect(factor->b, out);
      }
    }
  }
}

// Is e >= 0 for every binding: by its interval, else at the endpoints of a dim in which it is monotone.
Truth at_least_zero(Expr e, const Ranges& ranges, int& corners) {
  if (e.overflowed()) return Truth::Unknown;
  const Interval range = bounds(e, ranges);
  if (range.lo >= 0) return Truth::Yes;
  if (range.hi < 0) return Truth::No;
  if (++corners > kMaxCorners) return Truth::Unknown;
  for (const DimIndex dim : dims_of(e)) {
    const Interval over = dim < ranges.size() ? ranges[dim] : Interval{};
    const bool rises = non_decreasing(e, dim, ranges);
    const bool falls = !rises && non_decreasing(e.pool().constant(0) - e, dim, ranges);
    if (!rises && !falls) continue;
    const int64_t worst = rises ? over.lo : over.hi;
    const int64_t best = rises ? over.hi : over.lo;
    if (worst != kHighest) {
      const Expr least = e.pool().substitute(e, dim, e.pool().constant(worst));
      const Truth truth = at_least_zero(least, ranges, corners);
      if (truth == Truth::Yes) return truth;
    }
    if (best != kHighest) {
      const Expr most = e.pool().substitute(e, dim, e.pool().constant(best));
      const Truth truth = at_least_zero(most, ranges, corners);
      if (truth == Truth::No) return truth;
    }
    return Truth::Unknown;
  }
  return Truth::Unknown;
}

}  // namespace

Interval bounds(Expr e, const Ranges& ranges) {
  if (e.overflowed()) return {kLowest, kHighest};
  Interval total{0, 0};
  for (const Term& term : e.node().terms) {
    Interval product{term.coefficient, term.coefficient};
    for (const Atom* factor : term.monomial->factors) product = times(product, bounds_of(*factor, ranges));
    total = {plus(total.lo, product.lo), plus(total.hi, product.hi)};
    // An unbounded end swallows the rest, whichever sign it has.
    if (product.lo == kLowest) total.lo = kLowest;
    if (product.hi == kHighest) total.hi = kHighest;
  }
  return total;
}

Truth decide(Expr a, Relation relation, Expr b, const Ranges& ranges, int* looks) {
  int own = 0;
  int& corners = looks ? *looks : own;
  corners = 0;
  if (a == b) return Truth::Yes;
  if (a.overflowed() || b.overflowed()) return Truth::Unknown;
  switch (relation) {
    case Relation::LessEqual: return at_least_zero(b - a, ranges, corners);
    case Relation::GreaterEqual: return at_least_zero(a - b, ranges, corners);
    case Relation::Equal: break;
  }
  const Interval difference = bounds(a - b, ranges);
  if (difference.lo == 0 && difference.hi == 0) return Truth::Yes;
  if (difference.lo > 0 || difference.hi < 0) return Truth::No;
  if (at_least_zero((a - b) - 1, ranges, corners) == Truth::Yes) return Truth::No;
  if (at_least_zero((b - a) - 1, ranges, corners) == Truth::Yes) return Truth::No;
  return Truth::Unknown;
}

bool non_decreasing(Expr e, DimIndex dim, const Ranges& ranges) {
  if (e.overflowed()) return false;
  const auto dims = dims_of(e);
  if (std::find(dims.begin(), dims.end(), dim) == dims.end()) return true;
  // Term by term: a product of factors that never fall and are never negative never falls.
  bool each = true;
  for (const Term& term : e.node().terms) {
    for (const Atom* factor : term.monomial->factors) {
      const Interval range = bounds_of(*factor, ranges);
      bool rises = true;
      if (!factor->dim) {
        rises = factor->function != Function::Mod && non_decreasing(factor->a, dim, ranges);
        if (factor->function == Function::Min || factor->function == Function::Max) {
          rises = rises && non_decreasing(factor->b, dim, ranges);
        } else {
          const auto divisor = dims_of(factor->b);
          rises = rises && std::find(divisor.begin(), divisor.end(), dim) == divisor.end();
        }
      }
      each = each && rises && range.lo >= 0;
    }
    const auto inside = [&] {
      for (const Atom* factor : term.monomial->factors) {
        if (factor->dim ? *factor->dim == dim : true) return true;
      }
      return false;
    };
    if (term.coefficient < 0 && inside()) each = false;
  }
  if (each) return true;
  // Else by the step from d to d + 1.
  Dims& pool = e.pool();
  const Expr next = pool.substitute(e, dim, pool.dim(pool.dim_name(dim)) + 1);
  return !next.overflowed() && bounds(next - e, ranges).lo >= 0;
}

namespace {

// A function of two expressions as one of them, or a number, where the ranges leave nothing else.
Expr resolved_call(Function function, Expr a, Expr b, const Ranges& ranges) {
  Dims& dims = a.pool();
  if (function == Function::Min || function == Function::Max) {
    const bool least = function == Function::Min;
    if (decide(a, Relation::LessEqual, b, ranges) == Truth::Yes) return least ? a : b;
    if (decide(a, Relation::GreaterEqual, b, ranges) == Truth::Yes) return least ? b : a;
  } else if (b.is_constant() && b.constant() > 0 && function != Function::Ceildiv) {
    const Interval range = bounds(a, ranges);
    if (range.lo >= 0 && range.hi < b.constant()) return function == Function::Mod ? a : dims.constant(0);
  }
  return dims.call(function, a, b);
}

}  // namespace

Expr resolved(Expr e, const Ranges& ranges) {
  if (e.overflowed() || e.is_constant()) return e;
  Dims& dims = e.pool();
  Expr total = dims.constant(0);
  for (const Term& term : e.node().terms) {
    Expr product = dims.constant(term.coefficient);
    for (const Atom* factor : term.monomial->factors) {
      product = product * (factor->dim ? dims.dim(factor->text)
                                       : resolved_call(factor->function, resolved(factor->a, ranges),
                                                       resolved(factor->b, ranges), ranges));
    }
    total = total + product;
  }
  return total;
}

std::vector<DimIndex> dims_of(Expr e) {
  std::vector<DimIndex> out;
  if (!e.overflowed()) collect(e, out);
  sort_range(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool contains(const std::vector<DimIndex>& dims, DimIndex dim) {
  return std::find(dims.begin(), dims.end(), dim) != dims.end();
}

}  // namespace irplan
