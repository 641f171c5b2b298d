// irplan-run --list-backends, --list-kernels and --selftest: what this build has on this machine, and whether
// it computes what the reference does.
#pragma once

#include <map>
#include <string>

#include "tools/irplan-run/options.h"

namespace irplan::run {

// A line a backend: its name and device, or why it cannot be had here.
std::string backends_text();

// The kernels of this build's backends: name, and what each does.
std::string kernels_text();

// Small programs that together use the backend's kernels, against the reference over the same numbers. Says
// of each what it found and of the kernels which were run; kDone where all agree.
// With `perf` then the time of each kernel at larger sizes, and the least that the machine's ceilings allow.
Exit selftest(const std::string& backend, bool perf);

struct KernelTime {
  double seconds = 0, least = 0;  // of all ops that run it; the least that the ceilings allow
};
// A line a kernel; the least ones where the ceilings are known.
std::string times_text(const std::map<std::string, KernelTime>& times, bool known);

}  // namespace irplan::run
