// The machine: its memory, its processors, and what else they do.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace irplan {

// Bytes of memory, in use or not; SIZE_MAX where the system does not say.
size_t machine_bytes();

// "AMD EPYC 9554"; empty where it is not told.
std::string processor_name();

// What the processors did since the machine began, in seconds of one; zeros where that is not told.
struct ProcessorTimes {
  double all = 0, idle = 0;
  double stolen = 0;  // by other guests of a virtual machine's host
  double own = 0;     // of this process
};
ProcessorTimes processor_times();

// The clock of the slowest processor at this moment as a part of its highest; none where it is not told.
std::optional<double> clock_share();

}  // namespace irplan
