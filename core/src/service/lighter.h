// What would lower a program's memory: single changes, each planned, with the bytes that the plan then takes.
#pragma once

#include <string>
#include <vector>

#include "irplan/compile.h"

namespace irplan {

struct Lighter {
  std::string change;  // as the command line takes it: "--retype state=f8e4m3"
  std::string what;    // "states in 8 bits a number"
  int64_t bytes = 0;   // of all segments, the largest over the phases, at the sizes of the plan as it stands
};

// Quantised states, quantised weights, half of the rows of each cache; what does not lower the memory is left
// out. Compiles the program a few times.
std::vector<Lighter> lighter(const Compilation& compilation, const CompileOptions& options);

}  // namespace irplan
