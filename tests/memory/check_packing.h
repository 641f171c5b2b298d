// One random instance put through the packer in its three strengths.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "irplan/pack.h"
#include "memory/random_program.h"

namespace irplan::memory_test {

inline std::vector<PackBuffer> random_buffers(Random& random) {
  const int64_t steps = 2 + random.below(12), sizes = 1 + random.below(random.chance(50) ? 4 : 1000);
  std::vector<PackBuffer> buffers(static_cast<size_t>(1 + random.below(14)));
  for (PackBuffer& b : buffers) {
    b.lower = random.below(steps);
    b.upper = b.lower + random.below(steps);  // now and then one that never lives
    b.size = random.below(sizes + 1);
  }
  return buffers;
}

// What is wrong, empty where nothing is: every two buffers are looked at.
inline std::string check_packing(uint64_t seed) {
  Random random(seed);
  const std::vector<PackBuffer> buffers = random_buffers(random);
  const auto fault = [&](const std::string& what) {
    std::string text = "packing, seed " + std::to_string(seed) + ": " + what + "\nid,lower,upper,size\n";
    for (size_t i = 0; i < buffers.size(); ++i)
      text += std::to_string(i) + "," + std::to_string(buffers[i].lower) + "," +
              std::to_string(buffers[i].upper) + "," + std::to_string(buffers[i].size) + "\n";
    return text;
  };
  int64_t height = INT64_MAX;
  bool proven = false;
  for (const Strength strength : {Strength::Portfolio, Strength::Limited, Strength::Exact}) {
    PackOptions options;
    options.strength = strength;
    const PackResult result = pack(buffers, options);
    for (size_t i = 0; i < buffers.size(); ++i) {
      const PackBuffer& a = buffers[i];
      if (a.lower >= a.upper || a.size == 0) continue;
      if (result.offsets[i] < 0 || result.offsets[i] + a.size > result.height) return fault("outside");
      for (size_t j = 0; j < i; ++j) {
        const PackBuffer& b = buffers[j];
        if (b.size > 0 && a.lower < b.upper && b.lower < a.upper && b.lower < b.upper &&
            result.offsets[i] < result.offsets[j] + b.size && result.offsets[j] < result.offsets[i] + a.size)
          return fault("overlap");
      }
    }
    if (result.height < result.bound) return fault("lower than the bound");
    if (result.height > height) return fault("a stronger search is higher");
    if (proven && result.height < height) return fault("lower than what was proven");
    height = result.height;
    proven = result.proven;
  }
  return proven ? "" : fault("exact, but not proven");
}

}  // namespace irplan::memory_test
