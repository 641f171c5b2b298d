#include "reference/blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/float_formats.h"

namespace irplan {
namespace {

constexpr float kE2M1[8] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f};

uint8_t byte_at(const std::byte* block, int i) { return static_cast<uint8_t>(block[i]); }

float scale_of(const std::byte* block) {
  uint16_t bits;
  std::memcpy(&bits, block, sizeof bits);
  return from_f16(bits);
}

// Stores the scale as f16, kept finite, and gives the number that was stored.
float store_scale(float d, std::byte* block) {
  const uint16_t bits = to_f16(std::min(65504.0f, std::max(-65504.0f, d)));
  std::memcpy(block, &bits, sizeof bits);
  return from_f16(bits);
}

// Of an exponent from -127, which is a subnormal number, to 128, which is infinity.
float power_of_two(int exponent) {
  return float_of(exponent > -127 ? static_cast<uint32_t>(exponent + 127) << 23 : uint32_t{1} << 22);
}

// Nearest integer, ties to even.
int nearest_int(float x) {
  const float down = std::floor(x), rest = x - down;
  const int whole = static_cast<int>(down);
  return rest > 0.5f || (rest == 0.5f && (whole & 1)) ? whole + 1 : whole;
}

int quotient(float x, float d, int lo, int hi) {
  if (d == 0 || std::isnan(x)) return 0;
  return nearest_int(std::min(static_cast<float>(hi), std::max(static_cast<float>(lo), x / d)));
}

float largest_magnitude(const float* values, int n) {
  float most = 0;
  for (int i = 0; i < n; ++i) {
    if (std::fabs(values[i]) > std::fabs(most)) most = values[i];
  }
  return most;
}

// Place of number i among the nibbles: its byte, and whether it is the high one.
struct Nibble {
  int byte;
  bool high;
};
Nibble nibble_of(DType dtype, int i) {
  if (dtype == DType::Q4_0) return {i % 16, i >= 16};
  return {i / 2, i % 2 == 1};
}

void store_nibble(Nibble place, int q, std::byte* nibbles) {
  nibbles[place.byte] |= static_cast<std::byte>(place.high ? q << 4 : q);
}

int nearest_e2m1(float x) {
  const float magnitude = std::fabs(x);
  int best = 0;
  for (int i = 1; i < 8; ++i) {
    const float here = std::fabs(kE2M1[i] - magnitude), there = std::fabs(kE2M1[best] - magnitude);
    // An even code has a mantissa bit of 0.
    if (here < there || (here == there && i % 2 == 0)) best = i;
  }
  return best | (std::signbit(x) && best ? 8 : 0);
}

void quantise_mxfp4(const float* values, std::byte* block) {
  const float most = std::fabs(largest_magnitude(values, 32));
  int exponent = -127;
  if (most > 0 && std::isfinite(most)) {
    std::frexp(most, &exponent);
    exponent = std::max(-127, exponent - 1 - 2);  // 2 is the exponent of e2m1's largest number
  } else if (most > 0) {
    exponent = 125;
  }
  block[0] = static_cast<std::byte>(exponent + 127);
  std::memset(block + 1, 0, 16);
  const float unit = power_of_two(exponent);
  for (int i = 0; i < 32; ++i)
    store_nibble(nibble_of(DType::MXFP4, i), nearest_e2m1(values[i] / unit), block + 1);
}

void quantise_nibbles(DType dtype, const float* values, std::byte* block) {
  const int n = info(dtype).elements;
  const float d = store_scale(largest_magnitude(values, n) / -8.0f, block);
  std::fill_n(block + 2, n / 2, std::byte{0});
  for (int i = 0; i < n; ++i) store_nibble(nibble_of(dtype, i), quotient(values[i], d, -8, 7) + 8, block + 2);
}

}  // namespace

float block_value(DType dtype, const std::byte* block, int i) {
  if (dtype == DType::Q8_0)
    return scale_of(block) * static_cast<float>(static_cast<int8_t>(byte_at(block, 2 + i)));
  const Nibble place = nibble_of(dtype, i);
  const int header = dtype == DType::MXFP4 ? 1 : 2;
  const int pair = byte_at(block, header + place.byte);
  const int q = place.high ? pair >> 4 : pair & 15;
  if (dtype != DType::MXFP4) return scale_of(block) * static_cast<float>(q - 8);
  const float magnitude = kE2M1[q & 7] * power_of_two(byte_at(block, 0) - 127);
  return q & 8 ? -magnitude : magnitude;
}

void quantise_block(DType dtype, const float* values, std::byte* block) {
  if (dtype == DType::MXFP4) return quantise_mxfp4(values, block);
  if (dtype != DType::Q8_0) return quantise_nibbles(dtype, values, block);
  const float d = store_scale(std::fabs(largest_magnitude(values, 32)) / 127.0f, block);
  for (int i = 0; i < 32; ++i) {
    block[2 + i] =
        static_cast<std::byte>(static_cast<uint8_t>(static_cast<int8_t>(quotient(values[i], d, -127, 127))));
  }
}

}  // namespace irplan
