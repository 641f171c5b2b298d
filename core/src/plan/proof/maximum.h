// The largest of some sums, at every size: what another of them is at least as large as everywhere is left
// out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/proof/facts.h"

namespace irplan::proof {

// Sums and multiples of an alignment that end at the largest number instead of wrapping.
inline int64_t capped_sum(int64_t a, int64_t b) {
  int64_t out = 0;
  return __builtin_add_overflow(a, b, &out) ? INT64_MAX : out;
}
inline int64_t capped_aligned(int64_t n, int64_t align) {
  return n > INT64_MAX - align ? INT64_MAX : (n + align - 1) / align * align;
}

class Maximum {
 public:
  Maximum(Dims& dims, Facts& facts) : dims_(&dims), facts_(&facts) {}

  void add(Expr e);
  // The terms of another, each with as much on top; of an empty one, that alone.
  void add_all(const Maximum& other, Expr on_top);
  // Whether there are more terms than are kept, or than can be compared.
  bool lost() const { return lost_ || facts_->tired(); }
  // Whether the expression is this maximum: each of its terms is at most one of these, and each of these at
  // most one of its.
  bool is(Expr e) const;
  const std::vector<Expr>& terms() const { return terms_; }
  std::string text() const;

 private:
  static constexpr size_t kMostTerms = 256;

  Dims* dims_;
  Facts* facts_;
  std::vector<Expr> terms_;
  bool lost_ = false;
};

}  // namespace irplan::proof
