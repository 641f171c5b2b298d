// How hard a placement of buffers is searched for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace irplan {

enum class Strength : uint8_t {
  Portfolio,  // placements by rules in several sequences, the best of them mended
  Limited,    // then those that stand too high change places, and a depth-first search: under limits
  Exact,      // the same search without a limit: may run for very long
};
inline constexpr const char* kStrengths[] = {"portfolio", "limited", "exact"};  // in their order

constexpr const char* name(Strength strength) { return kStrengths[static_cast<int>(strength)]; }
constexpr std::optional<Strength> find_strength(std::string_view name) {
  for (int i = 0; i < 3; ++i) {
    if (name == kStrengths[i]) return static_cast<Strength>(i);
  }
  return std::nullopt;
}

}  // namespace irplan
