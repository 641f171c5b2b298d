#include "plan/proof/maximum.h"

#include <algorithm>

#include "plan/proof/proof.h"

namespace irplan::proof {
namespace {

// What max(max(a, b), c) is the largest of.
void split(Expr e, std::vector<Expr>& out) {
  const auto& terms = e.node().terms;
  const bool one = terms.size() == 1 && terms[0].coefficient == 1 && terms[0].monomial->factors.size() == 1;
  const Atom* atom = one ? terms[0].monomial->factors[0] : nullptr;
  if (!atom || atom->dim || atom->function != Function::Max) return out.push_back(e);
  split(atom->a, out);
  split(atom->b, out);
}

}  // namespace

void Maximum::add(Expr e) {
  e = facts_->in(e);
  for (const Expr other : terms_) {
    if (facts_->at_most(e, other)) return;
  }
  std::erase_if(terms_, [&](Expr other) { return facts_->at_most(other, e); });
  terms_.push_back(e);
  lost_ = lost_ || Proof::too_much(terms_.size(), kMostTerms) || e.overflowed();
}

void Maximum::add_all(const Maximum& other, Expr on_top) {
  lost_ = lost_ || other.lost_;
  if (other.terms_.empty()) return add(on_top);
  for (const Expr e : other.terms_) {
    if (lost_) return;
    add(e + facts_->in(on_top));
  }
}

bool Maximum::is(Expr e) const {
  std::vector<Expr> told;
  split(facts_->in(e), told);
  const Expr zero = dims_->constant(0);
  const std::vector<Expr>& derived = terms_.empty() ? std::vector<Expr>{zero} : terms_;
  const auto within = [&](const std::vector<Expr>& small, const std::vector<Expr>& large) {
    return std::all_of(small.begin(), small.end(), [&](Expr a) {
      return std::any_of(large.begin(), large.end(), [&](Expr b) { return facts_->at_most(a, b); });
    });
  };
  return within(told, derived) && within(derived, told);
}

std::string Maximum::text() const {
  std::string out = terms_.empty() ? "0" : "";
  for (const Expr e : terms_) out += (out.empty() ? "" : ", ") + e.text().substr(0, 60);
  return terms_.size() > 1 ? "max(" + out + ")" : out;
}

}  // namespace irplan::proof
