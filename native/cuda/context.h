// One op while its launch is prepared: its operands as tensors, its attributes as numbers, and the tables of
// the step.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cuda/launch.h"
#include "reference/window.h"

namespace irplan::IRPLAN_GPU {

// What all ops of a step share.
class StepContext {
 public:
  StepContext(const Plan& plan, const PlanMemory& memory, const StepBinding& step, PreparedStep& out);

  // Place of these numbers in the tables; equal arrays are stored once.
  size_t table(std::vector<int32_t> numbers);

  const Plan& plan;
  const PlanMemory& memory;
  StepSizes sizes;
  PreparedStep& out;
  std::vector<uint32_t> writer;  // op by value

 private:
  std::map<std::vector<int32_t>, size_t> tables_;
};

// A ring that a value's rows lie in.
struct RingRows {
  int64_t rows = 0;            // 0: no ring
  std::vector<int32_t> first;  // of each sequence, the position of its oldest row
};

class OpContext {
 public:
  OpContext(StepContext& step, uint32_t index) : step(step), index(index), op(step.plan.ops[index]) {}

  bool has(size_t operand) const { return operand < op.in.size() && op.in[operand] != kAbsent; }
  // A result or operand as it lies in memory; an absent operand is a tensor without data. False after fail().
  bool in(size_t operand, Tensor& to, bool ring_allowed = false);
  bool result(size_t i, Tensor& to) { return value(op.out[i], to); }
  bool value(uint32_t index, Tensor& to);
  bool ring(size_t operand, RingRows& to);
  // The first scratch buffer of the op.
  bool scratch(float*& to);

  const Attr& attr(const char* name) const { return op.attrs[name]; }
  float number(const char* name) const { return static_cast<float>(op.attrs[name].number()); }
  int64_t extent(Expr e, int64_t sequence = -1) const { return step.sizes.value(e, sequence); }
  // Extent of an operand's axis that sequence b has itself.
  int64_t own_extent(size_t operand, size_t axis, int64_t b) const;
  // An expression's value in each of `count` sequences, as a table.
  bool per_sequence(Expr e, int64_t count, size_t& table);

  bool fail(std::string why_not) { return why = std::move(why_not), false; }
  void launch(std::function<int(Stream, const int32_t*, DataFault*)> run) {
    step.out.launches.push_back({index, std::move(run)});
  }

  StepContext& step;
  uint32_t index;
  const Plan::Op& op;
  std::string why;
};

// `t` with the axes of `shape`, aligned at the right, and stride 0 where it broadcasts; `keep` last axes stay
// t's own.
Tensor broadcast(const Tensor& t, const Tensor& shape, int keep = 0);

}  // namespace irplan::IRPLAN_GPU
