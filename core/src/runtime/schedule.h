// One phase at its static sizes as records: what is launched, over which bytes, with which numbers.
//
// A plan is prepared once for each phase and set of sizes; then steps run by writing a few numbers. All of a
// step that changes from one to the next (positions, lengths, slots, what a ring holds) stands in one block
// of control numbers, each in a place that its meaning gives and never its value; a record holds the place.
//
//     plan, phase, sizes, where buffers lie          step: P = 17
//          | prepare                                   | write
//          v                                           v
//     records   0  add_rmsnorm   arena+0 …           control   [17, 18, 0]
//               1  rope          at=#0 …                        ^ #0: P of sequence 0
//
// Dims that a state is written at (`at` of append) are the ones that move; all others are static. Where no
// record and no place of a buffer depends on a moving dim, one schedule serves every position and can be
// captured, as a CUDA graph for example; else `obstacles` say what depends on it, and steps are prepared one
// by one. Every operand is checked against the bytes of its buffer here, so that a kernel needs no check.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernels/kernel.h"
#include "plan/plan.h"
#include "reference/executor.h"
#include "runtime/calls.h"

namespace irplan {

using Call = std::variant<UnaryCall, BinaryCall, GatedCall, CopyCall, PackCall, DequantCall, NormCall,
                          RopeCall, SoftmaxCall, ReduceCall, TopkCall, RouteCall, EmbedCall, PositionsCall,
                          AppendCall, AttentionCall, LinearCall, MatmulCall, ExpertCall>;

// One launch. An op may have several (split), or none (a copy onto itself).
struct Record {
  uint32_t op = 0;
  const KernelRow* kernel = nullptr;
  Call call;
};

// Where a buffer lies at one step's sizes; None: not in this phase.
struct BufferPlace {
  MemorySegment segment = MemorySegment::None;
  int64_t offset = 0, bytes = 0;
  int64_t rows = 0;  // of a weight that is there so many rows at a time, for loading; 0: all
};
using BufferPlaces = std::vector<BufferPlace>;  // by Plan::buffers

// Control numbers of one meaning: one for each sequence.
struct ControlSlot {
  enum class Role : uint8_t {
    Value,  // a
    Rows,   // a, between 0 and what the step as a whole has
    Reach,  // a, or without limit where there is none
    First,  // a + b - c: the position of the oldest row that a ring holds
    Slot,   // the row of the states' axis 0 at which the sequence lies
  } role = Role::Value;
  Expr a, b, c;
  int64_t sequences = 0;
  int64_t most = INT32_MAX;  // beyond it lies what is not there
  int32_t place = 0;
  uint32_t op = 0;  // the first that needs them
};

// Rows that an op writes into a state: they must be there.
struct StateWrite {
  uint32_t op = 0;
  Expr at, rows;
  int64_t planned_rows = 0, sequences = 0;    // of what is written
  int64_t held_rows = 0, held_sequences = 0;  // of the state, all of its slots
  bool ring = false;
};

// What keeps a schedule from serving every position.
struct Obstacle {
  std::string where;  // "ops h", "buffers decode/x"
  std::string what;   // "the extent P + 1"
};

// Who looks at data, for the message when it is wrong.
struct FaultNames {
  std::string op, element, table;
  bool expert = false;
};

struct Schedule {
  std::vector<Record> records;
  std::vector<ControlSlot> slots;
  std::vector<StateWrite> writes;
  int32_t control_count = 0;            // numbers of the block
  std::vector<float> constants;         // of the segment Constants
  std::map<int32_t, FaultNames> names;  // by op
  std::vector<DimIndex> moving;         // dims that may change from step to step
  std::vector<Obstacle> obstacles;
  // An op that reads a state row by row, so that its sequences must lie where they were when it was prepared;
  // empty: any slots serve.
  std::string fixed_slots;
  StepBinding sizes;  // at which it was prepared

  bool capturable() const { return obstacles.empty(); }
  // Whether a step at these sizes can run by it, where its slots are as they were or need not be.
  bool serves(const StepBinding& step) const;
};

// Records of the ops [begin, end) for a target's kernels. None when prepared, else which op cannot be run and
// why. `holding` has the buffers' places, `sizes` all dims.
std::optional<std::string> prepare_schedule(const Plan& plan, uint32_t begin, uint32_t end,
                                            std::string_view target, const BufferPlaces& holding,
                                            const StepBinding& sizes, Schedule& out);

// The control numbers of a step. Allocates nothing: `row` is the caller's, used again for each step.
std::optional<std::string> write_control(const Plan& plan, const Schedule& schedule, const StepBinding& step,
                                         Binding& row, int32_t* out);

// Addresses for places: `segments` and `control` are where the backend has them.
struct Addresses {
  std::byte* segments[kMemorySegments] = {};
  const int32_t* control = nullptr;
  DataFault* fault = nullptr;
};
void resolve(Call& call, const Addresses& addresses);

// "3  decode/h.1  cuda_rope_v1  x=arena+512 f32[1, 1, 4, 64] … at=#0"
std::string text(const Plan& plan, const Record& record);
// All records, the control block and what keeps it from being captured; a line each.
std::string text(const Plan& plan, const Schedule& schedule);
// The first field in which two records differ; empty where they are equal.
std::string difference(const Record& a, const Record& b);
std::string text(const DataFault& fault, const FaultNames& names);

}  // namespace irplan
