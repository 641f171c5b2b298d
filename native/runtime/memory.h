// The memory of a run: one allocation a segment, laid out as the plan says and filled with 0xff before
// anything is written.
//
//     weights   [a   ][b      ][folded]      in listed order, every start aligned
//     state     [k.0      ][v.0      ]
//     inputs    [tokens]
//     arena     buffers of the step's phase at the offsets that `above` gives for the step's sizes
//     loading   weights that only folding reads, and its scratch: freed when it is done
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "runtime/backend.h"

namespace irplan {

struct SegmentBytes {
  int64_t weights = 0, state = 0, inputs = 0, arena = 0;
  std::optional<int64_t> total() const;
  friend bool operator==(const SegmentBytes&, const SegmentBytes&) = default;
};

// What the plan's own formulas say that a step takes: the phase's `peak`, and buffers rounded up to `align`.
// None where a number exceeds 64 bits.
std::optional<SegmentBytes> predicted_bytes(const Plan& plan, const std::string& phase,
                                            const Binding& binding);

// "line 31 of llama.irplan": where a limit of the plan stands; one of an option has no line.
std::string place_text(const Plan& plan, uint32_t line);

// The bytes that a budget counts; none of one over dims, and where the number exceeds 64 bits.
std::optional<int64_t> counted_bytes(const Plan::Budget& budget, const SegmentBytes& bytes);

// A budget over bytes that a step of a phase would break, in its own words.
Failure check_budgets(const Plan& plan, const std::string& phase, const Binding& binding,
                      const SegmentBytes& bytes);

class RunMemory {
 public:
  RunMemory(const Plan& plan, Backend& backend) : plan_(plan), backend_(backend) {}
  ~RunMemory();
  RunMemory(const RunMemory&) = delete;
  RunMemory& operator=(const RunMemory&) = delete;

  // Weights and state, and room for inputs and an arena of these sizes (the largest of all steps). `binding`
  // gives weights and state their sizes.
  Failure allocate(const Binding& binding, const SegmentBytes& room);
  // Pointers for folding; ends when `free_loading` is called.
  const PlanMemory& loading() const { return pointers_; }
  void free_loading();
  // Lays inputs and arena out for a step; a state begins at row `first_slot` of axis 0.
  Failure bind(const std::string& phase, const Binding& binding, int64_t first_slot);
  const PlanMemory& pointers() const { return pointers_; }
  // Bytes of one buffer at the step bound last, for moving it to the host.
  int64_t bytes_of(uint32_t buffer) const { return bytes_[buffer]; }

  const SegmentBytes& allocated() const { return allocated_; }
  int64_t loading_bytes() const { return loading_bytes_; }

 private:
  Failure take(const char* what, int64_t bytes, std::byte** out);
  Failure lay_out(Plan::Segment segment, const std::vector<uint8_t>& of_loading, bool loading,
                  const Binding& binding, int64_t room, std::byte** base, int64_t* total);

  const Plan& plan_;
  Backend& backend_;
  std::byte *weights_ = nullptr, *state_ = nullptr, *inputs_ = nullptr, *arena_ = nullptr,
            *loading_ = nullptr;
  PlanMemory pointers_;
  std::vector<std::byte*> state_starts_;  // of state buffers, at slot 0
  std::vector<int64_t> held_;             // bytes of each buffer as it was allocated
  std::vector<int64_t> bytes_;            // and at the step bound last
  std::vector<uint8_t> for_loading_;      // buffers that only folding reads
  SegmentBytes allocated_;
  int64_t loading_bytes_ = 0;
};

}  // namespace irplan
