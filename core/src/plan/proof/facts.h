// What holds of sizes in one phase of a plan: its ranges, the dims that it fixes, and its guards.
#pragma once

#include <unordered_map>
#include <vector>

#include "dims/expr.h"

namespace irplan::proof {

class Facts {
 public:
  Facts(Dims& dims, Ranges ranges) : dims_(&dims), ranges_(std::move(ranges)) {}

  void fix(DimIndex dim, int64_t size) { fixed_.emplace_back(dim, size); }
  // What is at least 0 at every admitted size. After all calls of fix().
  void assume(Expr e);

  const Ranges& ranges() const { return ranges_; }
  // With dims that the phase fixes as numbers.
  Expr in(Expr e);
  Shape in(const Shape& shape);
  // Whether it holds at every admitted size; false also where that cannot be shown.
  bool at_least_zero(Expr e);
  bool at_most(Expr a, Expr b) { return a == b || at_least_zero(in(b)-in(a)); }
  bool equal(Expr a, Expr b) { return a == b || in(a) == in(b) || (at_most(a, b) && at_most(b, a)); }
  bool holds(Expr left, Relation relation, Expr right);
  // Whether relations were left open because deciding them takes more than a plan is worth. A stage begins
  // rested.
  bool tired() const { return effort_ > kMostEffort; }
  void rest() { effort_ = 0; }

 private:
  static constexpr size_t kMostGuards = 64;         // tried for one relation
  static constexpr size_t kMostEffort = 1'000'000;  // terms looked at, over all corners of ranges
  bool decided(Expr e);

  Dims* dims_;
  Ranges ranges_;
  std::vector<std::pair<DimIndex, int64_t>> fixed_;
  std::vector<Expr> positive_;                                // at least 0 by a guard, those that are tried
  std::unordered_map<uint32_t, std::vector<uint32_t>> with_;  // by dim: the first of them that speak of it
  std::unordered_map<uint32_t, Expr> fixed_in_;               // by index of an expression
  std::unordered_map<uint32_t, bool> known_;                  // likewise: at least 0
  size_t effort_ = 0;
};

}  // namespace irplan::proof
