// One op while its records are made: operands as tensors, attributes as numbers, places of control numbers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/schedule.h"

namespace irplan {

// What all ops of a schedule share.
class ScheduleContext {
 public:
  ScheduleContext(const Plan& plan, const BufferPlaces& holding, const StepBinding& sizes, Schedule& out);

  const Plan& plan;
  const BufferPlaces& holding;
  Schedule& out;

  // The number that an expression has at these sizes; noted as an obstacle where it moves.
  int64_t fixed(Expr e, const std::string& where, const char* what);
  bool moves(Expr e) const;
  // A place for control numbers of this meaning; equal ones share it.
  Table slot(ControlSlot slot);
  // Numbers that no plan holds; equal ones lie there once.
  Tensor constant(const std::vector<float>& numbers);
  const Plan::Op* writer(uint32_t value) const;  // null: no op
  void obstacle(const std::string& where, const std::string& what);

 private:
  Ranges ranges_;                 // the static dims at their sizes, the moving ones as declared
  std::vector<uint32_t> writer_;  // op by value
};

class OpContext {
 public:
  OpContext(ScheduleContext& all, uint32_t index, const KernelRow* kernel)
      : all(all), index(index), op(all.plan.ops[index]), kernel(kernel) {}

  bool has(size_t operand) const { return operand < op.in.size() && op.in[operand] != kAbsent; }
  // An operand or result as it lies in memory; an absent operand is a tensor without a segment. False after
  // fail(). Rows of a ring are refused unless the op reads them by position.
  bool in(size_t operand, Tensor& to) { return in(operand, to, false); }
  bool rows_in(size_t operand, Tensor& to) { return in(operand, to, true); }
  bool result(size_t i, Tensor& to) { return value(op.out[i], to, false); }
  bool scaled_weight(size_t w, size_t scale, ScaledWeight& to);
  bool scratch(Scratch& to);

  // Of rows in a ring: how many it has, and the place of the oldest one's position; 0 rows where it is none.
  bool ring(size_t operand, int64_t& rows, Table& first);
  Table each_sequence(Expr e, int64_t count);
  // Of an operand in a state: the slots of the sequences; absent where it is in none. `held` takes how many
  // the state has.
  Table slots(size_t operand, const Tensor& t, int64_t* held = nullptr);
  Table reach(Expr window, int64_t count);  // none: without limit
  // An operand's extent that each sequence has itself.
  Table own_extent(size_t operand, size_t axis, int64_t count, int64_t most = INT32_MAX);

  const Attr& attr(const char* name) const { return op.attrs[name]; }
  float number(const char* name) const { return static_cast<float>(op.attrs[name].number()); }
  int64_t fixed(Expr e, const char* what) { return all.fixed(e, "ops " + op.id, what); }
  int axis(int rank) const;
  const Plan::Value& operand(size_t i) const { return all.plan.values[op.in[i]]; }
  void name_faults(size_t element, size_t table, bool expert);

  bool fail(std::string why_not) { return why = std::move(why_not), false; }
  void emit(Call call) { all.out.records.push_back({index, kernel, std::move(call)}); }

  ScheduleContext& all;
  uint32_t index;
  const Plan::Op& op;
  const KernelRow* kernel;
  std::string why;

 private:
  bool in(size_t operand, Tensor& to, bool by_position);
  bool value(uint32_t index_of_value, Tensor& to, bool by_position);
  bool inside(const Plan::Value& v, const Tensor& t);
};

// Makes the records of one op; false after fail().
bool prepare_op(OpContext& context);

// `t` with the axes of `shape`, aligned at the right, and stride 0 where it broadcasts; `keep` last axes stay
// t's own.
Tensor broadcast(const Tensor& t, const Tensor& shape, int keep = 0);

}  // namespace irplan
