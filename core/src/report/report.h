// What `irplan explain` knows about a plan, in numbers: the same for the terminal, for JSON and for the
// picture.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/times.h"
#include "plan/plan.h"

namespace irplan::report {

// A buffer of the arena over the steps of its phase:
//
//   address ^   +---------+
//           |   |    n    |      from step `begin` to before step `end`, `bytes` high, from `offset` up
//           |   +---------+
//           +--------------> step
struct Rectangle {
  uint32_t buffer = 0;          // in Plan::buffers
  uint32_t begin = 0, end = 0;  // in Plan::ops
  int64_t offset = 0, bytes = 0;
};

// Consecutive ops of one scope at the top level; identical ones (the layers of a model) are one with a count.
struct Section {
  std::string scope;            // "i.0", empty outside of loops and calls
  uint32_t begin = 0, end = 0;  // ops shown
  uint32_t count = 1;           // how many there are like it, itself included
};

struct PhaseReport {
  const Plan::Phase* phase = nullptr;
  Binding binding;
  std::vector<Rectangle> arena;  // by first step
  std::vector<Section> sections;
  uint32_t peak_step = kAbsent;  // where the most bytes are alive
  int64_t live_bytes = 0;        // there, each buffer rounded up to `align`
  int64_t bound_bytes = 0;       // the largest sum of live bytes as they are: the lower bound
  int64_t flops = 0, bytes = 0;  // moved
};

// A machine's limits, to say what bounds a phase. Dense 16-bit matrix units; figures of the vendors' data
// sheets.
struct Machine {
  const char* name;
  double flops;      // per second
  double bandwidth;  // bytes per second
};

struct Report {
  const Plan* plan = nullptr;
  std::vector<PhaseReport> phases;
  const Machine* machine = nullptr;  // null: not known for the target
};

Report make_report(const Plan& plan);

// The buffers alive at a step, highest address first.
std::vector<Rectangle> alive(const PhaseReport& phase, uint32_t step);

// ---- numbers as people read them
std::string count_text(double n, const char* unit);  // "1.20 Tflop"
std::string type_text(const Plan::Value& value);     // "f16[1, S, D]"
int64_t value_bytes(const Plan& plan, const Plan::Value& value, Evaluator& evaluate);

}  // namespace irplan::report
