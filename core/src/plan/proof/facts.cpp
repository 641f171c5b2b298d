#include "plan/proof/facts.h"

#include <algorithm>

namespace irplan::proof {

void Facts::assume(Expr e) {
  e = in(e);
  if (e.overflowed() || !known_.try_emplace(e.index(), true).second) return;
  bool kept = false;
  for (const DimIndex dim : dims_of(e)) {
    auto& with = with_[dim];
    if (with.size() >= 2 * kMostGuards) continue;
    with.push_back(static_cast<uint32_t>(positive_.size()));
    kept = true;
  }
  if (kept) positive_.push_back(e);
}

Expr Facts::in(Expr e) {
  if (fixed_.empty() || e.overflowed() || e.is_constant()) return e;
  const auto [known, fresh] = fixed_in_.try_emplace(e.index(), e);
  if (!fresh) return known->second;
  Expr out = e;
  for (const auto& [dim, size] : fixed_) out = dims_->substitute(out, dim, dims_->constant(size));
  return fixed_in_[e.index()] = out;
}

Shape Facts::in(const Shape& shape) {
  Shape out = shape;
  for (Expr& e : out) e = in(e);
  return out;
}

bool Facts::at_least_zero(Expr e) {
  e = in(e);
  if (e.overflowed()) return false;
  if (e.is_constant()) return e.constant() >= 0;
  const auto known = known_.find(e.index());
  if (known != known_.end()) return known->second;
  bool yes = decided(e);
  // Else a guard may say it: e is at least what the guard has at least 0.
  std::vector<uint32_t> tried;
  for (const DimIndex dim : dims_of(e)) {
    if (yes || with_.empty()) break;
    const auto about = with_.find(dim);
    if (about == with_.end()) continue;
    for (const uint32_t guard : about->second) {
      if (yes || tried.size() >= kMostGuards || tired()) break;
      if (std::find(tried.begin(), tried.end(), guard) != tried.end()) continue;
      tried.push_back(guard);
      yes = decided(e - positive_[guard]);
    }
  }
  if (!tired()) known_[e.index()] = yes;
  return yes;
}

// By the interval of the expression, else at the corners of the ranges that decide it, at most ten halvings
// deep.
bool Facts::decided(Expr e) {
  if (e.overflowed()) return false;
  const Interval range = bounds(e, ranges_);
  if (range.lo >= 0) return true;
  if (range.hi < 0) return false;
  if (tired()) return false;
  int looks = 0;
  const Truth truth = decide(dims_->constant(0), Relation::LessEqual, e, ranges_, &looks);
  effort_ += e.node().terms.size() * static_cast<size_t>(looks + 1);
  return truth == Truth::Yes;
}

bool Facts::holds(Expr left, Relation relation, Expr right) {
  switch (relation) {
    case Relation::LessEqual: return at_most(left, right);
    case Relation::GreaterEqual: return at_most(right, left);
    case Relation::Equal: break;
  }
  return equal(left, right);
}

}  // namespace irplan::proof
