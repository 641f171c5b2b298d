// Proves a plan from a stranger: that what it says follows from its ops and attributes, for every size that
// its ranges and guards admit. One pass over each kind of record, no samples, no simulation; what the rules
// cannot prove is refused by the rule's name. proof.md says what the rules are and why they are enough.
// Nothing here comes from the planner: the two share expressions over dims and the table of operators alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "plan/plan.h"
#include "plan/proof/facts.h"
#include "plan/proof/maximum.h"
#include "plan/proof/regions.h"

namespace irplan::proof {

enum class Rule : uint8_t {
#define IRPLAN_PLAN_RULE(name, word, sentence) name,
#include "plan/proof/rules.def"
#undef IRPLAN_PLAN_RULE
  Count
};
const char* word(Rule rule);
const char* sentence(Rule rule);

// A line of the proof that refuses. The compilers' own words, since <source_location> is not everywhere.
struct Site {
  const char* file = nullptr;
  int line = 0;
  static Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }
};

// For the tests of the proof alone: what is switched off finds nothing, and every site that refuses is told.
struct Instrument {
  Rule rule = Rule::Count;  // all sites of a rule, or
  Site site;                // one
  std::vector<std::pair<Rule, Site>>* refusals = nullptr;
  size_t most_work = 0;  // steps that a stage may take, instead of its own limit
};
Instrument& instrument();

constexpr size_t kMaxFindings = 40;

// Where a value's elements lie, as its own phase sees it: dims that the phase fixes are numbers.
struct Frame {
  Expr offset;           // bytes from its buffer's start
  Shape shape, strides;  // elements
};

class Proof {
 public:
  explicit Proof(const Plan& plan);

  // Each stage relies on those before it; false where one found something.
  bool structure();
  bool shapes();
  bool windows();
  bool contents();
  bool order();
  bool sizes();
  bool totals();
  bool budgets();

  std::vector<std::string> take() { return std::move(findings_); }

 private:
  friend class Windows;
  friend class Contents;
  friend class Budgets;
  friend class Maximum;

  // Always false, so that a check can return it; true where it is switched off.
  bool refuse(Rule rule, const std::string& where, const std::string& what, Site site = Site::here());
  bool clean() const { return findings_.empty(); }
  // Whether a stage took more steps than a plan is worth.
  static bool too_much(size_t work, size_t most) {
    return work > (instrument().most_work ? instrument().most_work : most);
  }
  bool full() const { return findings_.size() >= kMaxFindings; }
  std::string where_op(uint32_t op) const { return "ops " + plan_.ops[op].id; }
  std::string where_value(uint32_t value) const { return "values " + plan_.values[value].id; }
  std::string where_buffer(uint32_t buffer) const { return "buffers " + plan_.buffers[buffer].id; }

  // ---- what other stages ask
  static constexpr uint32_t kAnyPhase = UINT32_MAX;
  uint32_t phase_index(const std::string& name) const;  // kAnyPhase where there is none
  Facts& facts(uint32_t phase) { return facts_[phase == kAnyPhase ? plan_.phases.size() : phase]; }
  Plan::Segment segment(uint32_t value) const { return plan_.buffers[plan_.values[value].buffer].segment; }
  uint32_t phase_of_op(uint32_t op) const { return op_phase_[op]; }
  uint32_t phase_of_value(uint32_t value) const;
  bool is_append(const Plan::Op& op) const { return op.row->updates_state; }
  bool written(uint32_t value) const { return writer_[value] != kAbsent; }
  Expr bytes_of(DType dtype, const Shape& shape) const;
  const Shape& row_major(const Shape& shape);
  Binding values_in(uint32_t phase) const;  // the plan's own sizes there

  // ---- structure.cpp
  void check_buffer(uint32_t buffer);
  void check_value(uint32_t value);
  void check_owner(uint32_t buffer);
  void check_circles();
  void check_made();
  void check_phases();
  void check_dims();
  void check_writes(uint32_t op);
  void check_write(uint32_t op, uint32_t value);
  void check_scratch(uint32_t op, std::vector<uint32_t>& scratch_of);
  void check_packing(uint32_t op);
  void check_outputs();

  // ---- shapes.cpp
  void check_extents();
  void check_steps();
  bool check_op(uint32_t op);
  bool gather_operands(uint32_t op, OpCall& call);
  bool check_results(uint32_t op, OpCall& call);
  bool check_constraints(uint32_t op, const OpCall& call);
  bool check_kernel_scratch(uint32_t op, const OpCall& call);
  bool check_attributes(uint32_t op, Evaluator& at);
  void check_rings();
  void check_phase_costs();

  // ---- order.cpp
  bool check_lifetimes();
  bool check_order(uint32_t phase, const std::vector<uint32_t>& arena);
  bool ranked(const std::vector<uint32_t>& arena);
  bool reaches(uint32_t upper, uint32_t lower);
  bool tangled() const { return too_much(search_work_, 64 * plan_.buffers.size() + 10'000'000); }
  static uint64_t pair_of(uint32_t upper, uint32_t lower) { return (uint64_t{upper} << 32) | lower; }

  // ---- sizes.cpp
  bool check_values(uint32_t phase);
  bool check_peak(uint32_t phase, const Maximum& ends);
  void stack_ends(uint32_t phase, Maximum& out);
  void check_at_peak(uint32_t phase);
  void check_tokens(uint32_t phase);
  int64_t live_bytes(uint32_t phase, Evaluator& at, bool padded, uint32_t* op) const;

  // ---- proven.cpp
  bool padded_sums(uint32_t phase, Maximum& out);
  void check_proven(uint32_t phase, const Maximum& ends);

  // ---- totals.cpp
  void find_counted();
  int64_t alone(uint32_t phase) const;
  Plan::Segments segments_at(Evaluator& at) const;
  void check_largest(uint32_t largest);
  // Buffers of a phase's arena by the op, from its first on, before which they are there, and are gone.
  struct Lives {
    std::vector<std::vector<uint32_t>> born, died;
  };
  Lives lives_of(uint32_t phase) const;
  void live_sums(uint32_t phase, Maximum& out);
  int64_t all_bytes(uint32_t phase, const Binding& binding) const;
  void check_lighter();

  const Plan& plan_;
  std::vector<std::string> findings_;
  bool circular_ = false;  // windows show themselves
  std::unordered_map<std::string, uint32_t> phase_index_;
  std::vector<Facts> facts_;                                                  // by phase; the last of none
  std::vector<std::vector<uint32_t>> values_in_;                              // by buffer
  std::vector<std::vector<uint32_t>> arena_;                                  // by phase: its arena buffers
  std::vector<uint32_t> writer_;                                              // by value: op, or kAbsent
  std::vector<uint32_t> op_phase_;                                            // by op; kAnyPhase: load
  std::unordered_map<uint64_t, std::vector<std::pair<Shape, Shape>>> dense_;  // by a hash of the shape
  Regions regions_;
  std::vector<uint32_t> region_;      // by value, in `regions_`
  std::vector<Frame> frame_;          // by value
  std::vector<uint8_t> peak_proven_;  // by phase: `peak` holds at every size
  std::vector<uint8_t> counts_;       // by buffer: whether it is there after loading
  std::vector<uint32_t> rank_;        // by buffer: a place in which what lies below comes first
  std::vector<uint32_t> seen_;        // by buffer: the last search that met it
  uint32_t search_ = 0;
  size_t search_work_ = 0;
  std::unordered_set<uint64_t> lies_above_;  // of one phase: buffers that are known to lie above another
};

}  // namespace irplan::proof
