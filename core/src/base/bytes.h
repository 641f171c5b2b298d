// Counts of bytes: rounded up, by segment, and for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace irplan {

// The least multiple of `align` that is not below n.
constexpr int64_t align_up(int64_t n, int64_t align) { return (n + align - 1) / align * align; }

// Something of each segment of a plan's memory: its bytes, or how often a budget counts it.
struct PerSegment {
  int64_t weights = 0, state = 0, inputs = 0, arena = 0;

  int64_t sum() const { return weights + state + inputs + arena; }
  // None where one is negative, or their sum exceeds 64 bits.
  std::optional<int64_t> total() const;
  friend bool operator==(const PerSegment&, const PerSegment&) = default;
};

// "512 B", "16.0 MiB", "14.96 GiB": binary units; one decimal, and from GiB on two.
std::string bytes_text(int64_t bytes);

}  // namespace irplan
