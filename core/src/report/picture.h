// The memory of a phase over its steps as an SVG picture, for a page or a print.
#pragma once

#include <string>

#include "report/report.h"

namespace irplan::report {

std::string svg_timeline(const Report& report, const PhaseReport& phase);

}  // namespace irplan::report
