// One op while a CPU kernel runs it: small operands as dense arrays of f32, weights where they lie.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "reference/executor.h"
#include "reference/window.h"

namespace irplan::cpu {

// A row-major weight in its own dtype.
struct Weight {
  DType dtype = DType::F32;
  const std::byte* data = nullptr;
  std::vector<int64_t> shape;
  // `count` elements from `element`, a multiple of the dtype's block, as f32: where they lie, or converted
  // into `scratch`.
  const float* floats(int64_t element, int64_t count, float* scratch) const;
};

class Call {
 public:
  Call(const Plan& plan, const Plan::Op& op, const PlanMemory& memory, const StepBinding& step)
      : plan_(plan), op_(op), memory_(memory), sizes_(plan, step) {}

  const Plan::Op& op() const { return op_; }
  bool has(size_t operand) const { return operand < op_.in.size() && op_.in[operand] != kAbsent; }
  DType dtype(size_t operand) const { return plan_.values[op_.in[operand]].dtype; }
  const std::string& id(size_t operand) const { return plan_.values[op_.in[operand]].id; }
  // A value's number for row b of axis 0; -1: as planned.
  int64_t value(Expr e, int64_t b) const { return sizes_.value(e, b); }
  // An extent of an operand as row b has it.
  int64_t extent(size_t operand, size_t axis, int64_t b) const;

  // Gathered; none where the operand has no memory or size here, and `failure` then says so.
  std::optional<HostArray> array(size_t operand);
  // Where it lies, if it is row-major; the caller falls back to the reference where it is not.
  std::optional<Weight> weight(size_t operand) const;
  // Where result 0 lies; the same.
  std::optional<Weight> packed_result() const;
  // Result 0, to be filled and stored.
  std::optional<HostArray> result();
  void store(const HostArray& array);

  std::optional<std::string> failure;

 private:
  const Plan& plan_;
  const Plan::Op& op_;
  const PlanMemory& memory_;
  std::optional<Weight> dense(uint32_t value) const;

  StepSizes sizes_;
  std::optional<Window> target_;
};

// Kernels: false where a case is left to the reference; nothing is written then.
bool linear(Call& call);
bool linear_packed(Call& call);  // its weight in panels (ops/weight_layout.h)
bool pack(Call& call);
bool expert(Call& call);
bool matmul(Call& call);
bool embed(Call& call);
bool attention(Call& call);

}  // namespace irplan::cpu
