#include "base/bytes.h"

namespace irplan {

std::optional<int64_t> PerSegment::total() const {
  int64_t sum = 0;
  for (const int64_t part : {weights, state, inputs, arena}) {
    if (part < 0 || __builtin_add_overflow(sum, part, &sum)) return std::nullopt;
  }
  return sum;
}

std::string bytes_text(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr int kMebi = 2, kExbi = 6;
  if (bytes < 1024) return std::to_string(bytes) + " B";
  // By integers, so that every machine prints the same.
  int64_t scale = 1024, parts = 0, rounded = 0;
  int unit = 1;
  for (;; ++unit, scale *= 1024) {
    parts = unit <= kMebi ? 10 : 100;
    rounded = static_cast<int64_t>((static_cast<__int128>(bytes) * parts + scale / 2) / scale);
    if (rounded < 1024 * parts || unit == kExbi) break;
  }
  const std::string fraction = std::to_string(parts + rounded % parts).substr(1);
  return std::to_string(rounded / parts) + "." + fraction + " " + kUnits[unit];
}

}  // namespace irplan
