// Activations by blocks of 32 as q8_0 holds them, for products that multiply in whole numbers: a scale d,
// which f16 holds, and whole numbers q in [-127, 127].
//
//     d = f16(min(65504, max|x| / 127)),  q = the nearest of x / d, ties to even,  x becomes d q
//
// A block with a number that is not finite has none: all of it is NaN.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "ops/float_formats.h"

namespace irplan {

constexpr int64_t kWholeBlock = 32;

inline void round_whole_block(float* x) {
  float most = 0;
  bool finite = true;
  for (int64_t i = 0; i < kWholeBlock; ++i) {
    most = std::max(most, std::fabs(x[i]));
    finite = finite && std::isfinite(x[i]);
  }
  const float d = finite ? from_f16(to_f16(std::min(65504.0f, most / 127))) : 0.0f;
  for (int64_t i = 0; i < kWholeBlock; ++i) {
    const float q = d > 0 ? std::nearbyint(std::min(127.0f, std::max(-127.0f, x[i] / d))) : 0.0f;
    x[i] = finite ? d * q : std::numeric_limits<float>::quiet_NaN();
  }
}

inline void round_whole(float* x, int64_t count) {  // a multiple of the block
  for (int64_t i = 0; i < count; i += kWholeBlock) round_whole_block(x + i);
}

}  // namespace irplan
