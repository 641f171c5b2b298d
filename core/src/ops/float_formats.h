// The bits of f16, bf16, f8e4m3 and f8e5m2: conversions from and to f32, to nearest, ties to even.
//
//               sign exponent mantissa  bias   largest   beyond it
//     f16         1     5        10      15     65504    infinity
//     bf16        1     8         7     127     3.39e38  infinity
//     f8e4m3      1     4         3       7     448      448 (no infinities; 0x7f is NaN)
//     f8e5m2      1     5         2      15     57344    infinity
#pragma once

#include <cstdint>
#include <cstring>

#include "irplan/dtype.h"

namespace irplan {

inline uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

struct SmallFloat {
  int exponent_bits;
  int mantissa_bits;
  uint32_t most;      // bits of the largest finite number
  uint32_t infinity;  // bits of what lies beyond it
  uint32_t nan;
};
constexpr SmallFloat kF16{5, 10, 0x7bff, 0x7c00, 0x7e00};
constexpr SmallFloat kF8E4M3{4, 3, 0x7e, 0x7e, 0x7f};
constexpr SmallFloat kF8E5M2{5, 2, 0x7b, 0x7c, 0x7f};

// Bits of the nearest number of the format.
inline uint32_t to_small(SmallFloat format, float x) {
  const uint32_t bits = bits_of(x), magnitude = bits & 0x7fffffffu;
  const uint32_t sign = (bits >> 31) << (format.exponent_bits + format.mantissa_bits);
  if (magnitude > 0x7f800000u) return sign | format.nan;
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(magnitude >> 23) - 127;
  // Below the least normal number the spacing stays; `dropped` are the mantissa's bits that the format lacks
  // there.
  const int least = 1 - bias;
  const int below = exponent < least ? least - exponent : 0;
  const int dropped = 23 - format.mantissa_bits + below;
  if (dropped > 25) return sign;
  const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  const uint32_t half = 1u << (dropped - 1);
  uint32_t kept = mantissa >> dropped;
  const uint32_t rest = mantissa & ((1u << dropped) - 1);
  if (rest > half || (rest == half && (kept & 1))) ++kept;
  // A carry out of the mantissa raises the exponent, which lies just above it.
  const uint32_t base = below ? 0 : static_cast<uint32_t>(exponent + bias - 1) << format.mantissa_bits;
  const bool beyond = magnitude >= 0x7f800000u || exponent > bias + 8;
  const uint32_t found = beyond ? format.most + 1 : base + kept;
  return sign | (found > format.most ? format.infinity : found);
}

inline float from_small(SmallFloat format, uint32_t bits) {
  const uint32_t sign = (bits >> (format.exponent_bits + format.mantissa_bits) & 1) << 31;
  const uint32_t magnitude = bits & ((1u << (format.exponent_bits + format.mantissa_bits)) - 1);
  if (magnitude > format.most) {
    const bool infinite = format.infinity > format.most && magnitude == format.infinity;
    return float_of(sign | (infinite ? 0x7f800000u : 0x7fc00000u));
  }
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const uint32_t exponent = magnitude >> format.mantissa_bits;
  const uint32_t mantissa = magnitude & ((1u << format.mantissa_bits) - 1);
  if (exponent == 0) {
    const float unit = float_of(static_cast<uint32_t>(127 + 1 - bias - format.mantissa_bits) << 23);
    const float value = static_cast<float>(mantissa) * unit;
    return float_of(bits_of(value) | sign);
  }
  return float_of(sign | (exponent + 127 - static_cast<uint32_t>(bias)) << 23 |
                  mantissa << (23 - format.mantissa_bits));
}

inline uint16_t to_f16(float x) { return static_cast<uint16_t>(to_small(kF16, x)); }
inline float from_f16(uint16_t bits) { return from_small(kF16, bits); }

inline uint16_t to_bf16(float x) {
  const uint32_t bits = bits_of(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}
inline float from_bf16(uint16_t bits) { return float_of(static_cast<uint32_t>(bits) << 16); }

// The nearest number of a plain float dtype.
inline float rounded_to(DType dtype, float x) {
  switch (dtype) {
    case DType::F16: return from_f16(to_f16(x));
    case DType::BF16: return from_bf16(to_bf16(x));
    case DType::F8E4M3: return from_small(kF8E4M3, to_small(kF8E4M3, x));
    case DType::F8E5M2: return from_small(kF8E5M2, to_small(kF8E5M2, x));
    default: return x;
  }
}

}  // namespace irplan
