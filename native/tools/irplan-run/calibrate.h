// irplan-run --calibrate: what this machine can do at most.
#pragma once

#include <string>

#include "irplan/result.h"
#include "runtime/backend.h"
#include "tools/irplan-run/ceilings.h"
#include "tools/irplan-run/options.h"

namespace irplan::run {

// Measures for some seconds; none with the reason.
Result<Ceilings> measured_ceilings(Backend& cpu);
// A line each, as --calibrate shows them.
std::string ceilings_text(const Ceilings& ceilings);

// Measures, shows, and writes the user's file.
Exit calibrate();

}  // namespace irplan::run
