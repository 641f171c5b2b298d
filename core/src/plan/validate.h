// The checker of plans, shared by its files. What it finds, it derives again from ops and attributes alone.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "plan/plan.h"

namespace irplan {

constexpr size_t kMaxFindings = 40;

class Validator {
 public:
  explicit Validator(const Plan& plan);

  // Each stage relies on those before it; false where one found something.
  bool structure();  // kinds, segments, writers, phases, outputs
  bool shapes();     // types, costs, constraints of every op
  bool lifetimes();  // live ranges and the stacking order
  bool numbers(const std::string& phase, const Binding& binding,
               bool at_value);  // windows, guards, placement at one size
  bool totals();                // the plan's plain numbers, at `value`
  bool bytes(const std::string& phase,
             const Binding& binding);  // what each op finds in the bytes that it reads

  std::vector<std::string> take() { return std::move(findings_); }
  // Sizes at which a phase is looked at: `value` first, then corners inside the guards.
  std::vector<Binding> bindings(const std::string& phase) const;

 private:
  bool add(const std::string& where, const std::string& what);
  bool clean() const { return findings_.empty(); }
  std::string where_op(uint32_t op) const { return "ops " + plan_.ops[op].id; }
  std::string where_value(uint32_t value) const { return "values " + plan_.values[value].id; }
  std::string where_buffer(uint32_t buffer) const { return "buffers " + plan_.buffers[buffer].id; }
  const Plan::Phase* phase(const std::string& name) const;
  Plan::Segment segment(uint32_t value) const { return plan_.buffers[plan_.values[value].buffer].segment; }
  bool is_append(const Plan::Op& op) const;
  bool is_ring(uint32_t value) const;

  void budget(const Plan::Budget& budget);
  void falling(const std::string& where, const Plan::Frontier& frontier);
  void tokens(const Plan::Phase& phase);
  void lighter();
  void at_peak(const Plan::Phase& phase);
  bool check_values();
  bool check_phases();
  bool check_ops();
  bool check_packing(uint32_t op);
  bool check_scratch(uint32_t op, const OpCall& call);
  bool check_writes(uint32_t op, uint32_t value);
  bool check_reads(uint32_t op, uint32_t value);
  void producers(uint32_t value, std::vector<uint32_t>& out);

  std::vector<std::pair<DimIndex, Expr>> fixed_in(const std::string& phase) const;
  TensorType type_of(uint32_t value) const;
  bool check_shape(uint32_t op, const Ranges& ranges);
  Ranges ranges_of(const std::string& phase) const;
  bool inside(const std::string& phase, const Binding& binding) const;

  struct Window {
    int64_t begin = 0;  // bytes in the buffer
    int64_t end = 0;
    int64_t item = 0;  // bytes of an element, or of a block
    std::vector<int64_t> shape;
    std::vector<int64_t> strides;  // bytes
    struct Run {
      size_t axes = 0;    // outer ones, over which runs lie apart
      int64_t bytes = 0;  // of one run
    };
    Run dense_run() const;
  };
  bool window(uint32_t value, Evaluator& at, Window& out);
  bool find_grain(const std::string& phase, Evaluator& at, int64_t& grain);
  bool ordered();
  int64_t bound(const std::string& phase, Evaluator& at, bool padded) const;

  const Plan& plan_;
  std::vector<std::string> findings_;
  std::vector<std::pair<DimIndex, Expr>> fixed_;  // in the phase whose shapes are looked at
  std::vector<uint32_t> writer_;                  // by value: op, or kAbsent
  std::vector<size_t> seen_;                      // by value: the last round of producers() that met it
  size_t round_ = 0;
  std::vector<std::vector<uint32_t>> values_in_;      // by buffer
  std::vector<std::vector<Constraint>> constraints_;  // by op: what its rule needs besides the ranges
};

}  // namespace irplan
