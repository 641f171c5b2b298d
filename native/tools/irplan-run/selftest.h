// irplan-run --list-backends, --list-kernels and --selftest: what this build has on this machine, and whether
// it computes what the reference does.
#pragma once

#include <string>

#include "tools/irplan-run/options.h"

namespace irplan::run {

// A line a backend: its name and device, or why it cannot be had here.
std::string backends_text();

// The kernels of this build's backends: name, and what each does.
std::string kernels_text();

// Small programs that together use the backend's kernels, against the reference over the same numbers. Says
// of each what it found and of the kernels which were run; kDone where all agree.
Exit selftest(const std::string& backend);

}  // namespace irplan::run
