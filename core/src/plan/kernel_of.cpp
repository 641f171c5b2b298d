#include "kernels/kernel.h"
#include "plan/plan.h"

namespace irplan {

const KernelRow* kernel_of(const Plan& plan, const Plan::Op& op, std::string_view target) {
  if (plan.target != target) return newest_plain_kernel(target, *op.row);
  return find_kernel(target, *op.row, kernel_version(op.kernel, target, *op.row));
}

}  // namespace irplan
