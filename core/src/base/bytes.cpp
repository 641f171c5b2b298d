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
  constexpr int kMebi = 2;
  int unit = 0;
  int64_t scale = 1;
  while (unit < 6 && bytes / scale >= 1024) scale *= 1024, ++unit;
  if (unit == 0) return std::to_string(bytes) + " B";
  // By integers, so that every machine prints the same.
  const int64_t parts = unit <= kMebi ? 10 : 100;
  const auto rounded = static_cast<int64_t>((static_cast<__int128>(bytes) * parts + scale / 2) / scale);
  const std::string fraction = std::to_string(parts + rounded % parts).substr(1);
  return std::to_string(rounded / parts) + "." + fraction + " " + kUnits[unit];
}

}  // namespace irplan
