// The memory of a run: one allocation a segment, laid out as the plan says and filled with 0xff before
// anything is written.
//
//     weights   [a   ][b      ][folded]      in listed order, every start aligned
//     state     [k.0      ][v.0      ]
//     inputs    [tokens]
//     arena     buffers of the step's phase at the offsets that `above` gives for the step's sizes
//     loading   weights that only folding reads, and its scratch: each from the op that reads it first to the
//               last, so that one takes the place of another; of one that is packed some rows at a time;
//               freed when all is done
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "plan/plan.h"
#include "runtime/backend.h"

namespace irplan {

// What the plan's own formulas say that a step takes: the phase's `peak`, and buffers rounded up to `align`.
// None where a number exceeds 64 bits.
std::optional<PerSegment> predicted_bytes(const Plan& plan, const std::string& phase, const Binding& binding);

// "line 31 of llama.irplan": where a limit of the plan stands; one of an option has no line.
std::string place_text(const Plan& plan, uint32_t line);

// The bytes that a budget counts; none of one over dims, and where the number exceeds 64 bits.
std::optional<int64_t> counted_bytes(const Plan::Budget& budget, const PerSegment& bytes);

// A budget over bytes that a step of a phase would break, in its own words.
Failure check_budgets(const Plan& plan, const std::string& phase, const Binding& binding,
                      const PerSegment& bytes);

// The addresses of buffers that lie so.
PlanMemory addresses(const BufferPlaces& layout, const RunSegments& segments);

class RunMemory {
 public:
  RunMemory(const Plan& plan, Backend& backend) : plan_(plan), backend_(backend) {}
  ~RunMemory();
  RunMemory(const RunMemory&) = delete;
  RunMemory& operator=(const RunMemory&) = delete;

  // Weights and state, and room for inputs and an arena of these sizes (the largest of all steps). `binding`
  // gives weights and state their sizes.
  Failure allocate(const Binding& binding, const PerSegment& room);
  // Where weights lie while they load and fold; ends when `free_loading` is called. Those of the loading
  // segment hold what they are given from just before the first op that reads them to the last.
  const BufferPlaces& loading() const { return held_; }
  // Rows of its operand for which the loading segment has room, where that is not all: the op runs for so
  // many at a time (Program::submit_rows). 0: at once.
  int64_t rows_at_once(uint32_t op) const { return op < rows_at_once_.size() ? rows_at_once_[op] : 0; }
  void free_loading();
  // Where the buffers of a phase lie at a step's sizes; states with all of their slots, or those of the step
  // alone, from row `first_slot` of axis 0 on.
  Failure lay_out(const std::string& phase, const Binding& binding, std::optional<int64_t> first_slot,
                  BufferPlaces* out) const;
  // The allocations; their addresses stay as they are.
  const RunSegments& segments() const { return segments_; }

  const PerSegment& allocated() const { return allocated_; }
  int64_t loading_bytes() const { return loading_bytes_; }

 private:
  // Everything at once against what the device has: nothing is loaded into what would not fit.
  Failure check_free(const PerSegment& room) const;
  Failure take(const char* what, MemorySegment segment, int64_t bytes);
  // Places for buffers of a segment, one behind the other.
  Failure place(Plan::Segment segment, const Binding& binding, BufferPlaces& out, int64_t* total) const;
  // Places for what only loading needs; two that are never needed together may share one.
  Failure place_loading(const Binding& binding);
  // Finds them for each load-time op.
  void find_rows_at_once(const Binding& binding);

  const Plan& plan_;
  Backend& backend_;
  RunSegments segments_;
  BufferPlaces held_;                  // weights and states as they were allocated
  std::vector<uint8_t> for_loading_;   // buffers that only folding reads
  std::vector<int64_t> rows_at_once_;  // by load-time op
  PerSegment allocated_;
  int64_t loading_bytes_ = 0;
};

}  // namespace irplan
