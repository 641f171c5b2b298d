// The memory of a phase over its steps, drawn with characters.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "report/report.h"

namespace irplan::report {

// The letter that stands for each buffer (index in Plan::buffers) in the map and in the tables beside it.
using Letters = std::unordered_map<uint32_t, char>;
Letters letters_of(const PhaseReport& phase);

// x: steps, y: addresses; identical layers are drawn once. `color` paints the area of each letter.
std::string terminal_timeline(const Report& report, const PhaseReport& phase, const Letters& letters,
                              size_t width, bool color);

}  // namespace irplan::report
