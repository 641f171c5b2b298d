// The oracle: executes a plan on host memory, slowly, exactly and obviously.
//
// Every op gathers its operands from their windows into dense arrays, applies the operator's row semantics in
// f32, and scatters the results into their windows, rounded once. It runs *the plan*: whatever it reads and
// writes are the bytes that buffers, offsets, strides, rings and states of the plan name, so a wrong
// placement gives wrong numbers.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace irplan {

// Where each buffer of the plan lies: the address of its first byte, by index in Plan::buffers; null where
// the phase does not use it. Arena buffers of one phase share one allocation at the offsets of bind_arena.
struct PlanMemory {
  std::vector<std::byte*> buffers;
};

// The sizes of one step. A ragged dim (`dim P[B]`) has a value for each row of axis 0; `dims` then holds the
// largest.
struct StepBinding {
  Binding dims;                            // by the order of Plan::dims
  std::vector<std::vector<int64_t>> rows;  // by the same order; empty unless the dim is ragged
  int64_t first_slot = 0;                  // the row of axis 0 of the states that is its first sequence's
  std::vector<int64_t> slots = {};         // of each sequence, where they do not lie side by side; else empty
  int64_t slot(int64_t b) const {
    return slots.empty()                            ? first_slot + b
           : b < static_cast<int64_t>(slots.size()) ? slots[static_cast<size_t>(b)]
                                                    : -1;
  }
  // The dims of row b alone; `dims` for b < 0.
  Binding row(int64_t b) const;
};

// Runs one op. None when done, else what went wrong ("ops h: token id 100000 is outside of the 128 rows of
// wte").
std::optional<std::string> run_op(const Plan& plan, uint32_t op, const PlanMemory& memory,
                                  const StepBinding& step);

// Runs the ops of a phase ("load": those that fold weights) in order; `after` sees each op that is done.
std::optional<std::string> run_phase(const Plan& plan, const std::string& phase, const PlanMemory& memory,
                                     const StepBinding& step,
                                     const std::function<void(uint32_t op)>& after = {});

// A value's window as a dense array: dequantised, and of a ring in logical order, oldest row first. For
// outputs and tests.
HostArray read_value(const Plan& plan, uint32_t value, const PlanMemory& memory, const StepBinding& step);
// Writes an array into a value's window, rounded to its dtype. For inputs and params.
void write_value(const Plan& plan, uint32_t value, const HostArray& array, const PlanMemory& memory,
                 const StepBinding& step);

// ---- stored numbers: one element at a time, round to nearest even; f8e4m3 saturates, block types dequantise
// by block
float load_float(DType dtype, const std::byte* base, int64_t element);
void store_float(DType dtype, std::byte* base, int64_t element, float value);
int64_t load_int(DType dtype, const std::byte* base, int64_t element);
void store_int(DType dtype, std::byte* base, int64_t element, int64_t value);
// Quantises whole blocks of a row; `count` is a multiple of the block. The bytes that `dtype`'s block has.
void quantise(DType dtype, const float* values, int64_t count, std::byte* blocks);

}  // namespace irplan
