// Times for people.
#pragma once

#include <string>

namespace irplan {

// "1.5 s", "12.3 ms", "44 µs", "0.157 µs": three digits, in the unit that fits.
std::string time_text(double seconds);

}  // namespace irplan
