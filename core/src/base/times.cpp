#include "base/times.h"

#include <cstdio>

namespace irplan {

std::string time_text(double seconds) {
  constexpr const char* kUnits[] = {" s", " ms", " µs"};
  constexpr double kRoundsUp = 999.5e-3;  // what is shown as 1000 of a unit is 1 of the next
  size_t unit = 0;
  for (; seconds < kRoundsUp && unit < 2; ++unit) seconds *= 1e3;
  char text[32];
  std::snprintf(text, sizeof text, seconds < 999.5 ? "%.3g" : "%.0f", seconds);
  return std::string(text) + kUnits[unit];
}

}  // namespace irplan
