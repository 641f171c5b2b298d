// Whether a plan is true: the stages of its proof, in order, and the same for the sizes of one run.
#include "plan/plan.h"
#include "plan/proof/proof.h"

namespace irplan {
namespace {

constexpr size_t kMaxTold = 5;  // findings that one message lists

}  // namespace

std::vector<std::string> validate_plan(const Plan& plan) {
  proof::Proof proof(plan);
  proof.structure() && proof.shapes() && proof.windows() && proof.contents() && proof.order() &&
      proof.sizes() && proof.totals() && proof.budgets();
  return proof.take();
}

std::string listed(const std::vector<std::string>& findings) {
  std::string out;
  for (size_t i = 0; i < findings.size() && i < kMaxTold; ++i) out += (i ? "\n  " : "") + findings[i];
  if (findings.size() > kMaxTold) out += "\n  and " + std::to_string(findings.size() - kMaxTold) + " more";
  return out;
}

Result<Plan> read_true_plan(std::string_view text) {
  auto plan = read_plan(text);
  if (!plan) return plan;
  const auto findings = validate_plan(*plan);
  if (findings.empty()) return plan;
  return Error{"the plan contradicts itself: " + listed(findings)};
}

}  // namespace irplan
