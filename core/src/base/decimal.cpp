#include "base/decimal.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace irplan {

// Exact where both fit a double, else by long division of big integers.
double decimal_to_double(const std::string& digits, int64_t exponent) {
  size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return 0;
  std::string d = digits.substr(first);
  while (d.size() > 1 && d.back() == '0') d.pop_back(), ++exponent;
  if (static_cast<int64_t>(d.size()) + exponent > 310) return HUGE_VAL;
  if (static_cast<int64_t>(d.size()) + exponent < -330) return 0;
  if (d.size() <= 15 && exponent >= -22 && exponent <= 22) {
    double n = 0, power = 1;
    for (const char c : d) n = n * 10 + (c - '0');
    for (int64_t i = 0; i < std::llabs(exponent); ++i) power *= 10;
    return exponent < 0 ? n / power : n * power;
  }
  // numerator / denominator as little-endian 32-bit limbs
  using Big = std::vector<uint32_t>;
  const auto times = [](Big& n, uint32_t by, uint32_t add) {
    uint64_t carry = add;
    for (uint32_t& limb : n) {
      carry += static_cast<uint64_t>(limb) * by;
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry) n.push_back(static_cast<uint32_t>(carry));
  };
  const auto bits = [](const Big& n) {
    size_t i = n.size();
    while (i > 0 && n[i - 1] == 0) --i;
    return i == 0 ? int64_t{0} : static_cast<int64_t>(i - 1) * 32 + (32 - __builtin_clz(n[i - 1]));
  };
  const auto shift = [&](Big& n, int64_t by) {
    n.insert(n.begin(), static_cast<size_t>(by / 32), 0);
    for (int64_t i = 0; i < by % 32; ++i) times(n, 2, 0);
  };
  const auto less = [](const Big& a, const Big& b) {
    const size_t size = std::max(a.size(), b.size());
    for (size_t i = size; i-- > 0;) {
      const uint32_t x = i < a.size() ? a[i] : 0, y = i < b.size() ? b[i] : 0;
      if (x != y) return x < y;
    }
    return false;
  };
  const auto subtract = [](Big& a, const Big& b) {
    int64_t borrow = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      int64_t n = static_cast<int64_t>(a[i]) - (i < b.size() ? b[i] : 0) - borrow;
      borrow = n < 0;
      a[i] = static_cast<uint32_t>(n + (borrow << 32));
    }
  };
  Big top = {0}, bottom = {1};
  for (const char c : d.substr(0, 800)) times(top, 10, static_cast<uint32_t>(c - '0'));
  exponent += static_cast<int64_t>(d.size() > 800 ? d.size() - 800 : 0);
  for (int64_t i = 0; i < exponent; ++i) times(top, 10, 0);
  for (int64_t i = 0; i < -exponent; ++i) times(bottom, 10, 0);
  // Scale so that the quotient has 54 bits (or fewer below the normal range), then round half to even.
  int64_t power = bits(top) - bits(bottom) - 54;
  power = std::max<int64_t>(power, -1075);
  shift(power > 0 ? bottom : top, std::llabs(power));
  uint64_t quotient = 0;
  Big part = bottom;
  std::vector<Big> doubled = {bottom};
  while (!less(top, doubled.back()) && doubled.size() < 60) {
    Big next = doubled.back();
    times(next, 2, 0);
    doubled.push_back(std::move(next));
  }
  for (size_t i = doubled.size(); i-- > 0;) {
    quotient <<= 1;
    if (!less(top, doubled[i])) subtract(top, doubled[i]), quotient |= 1;
  }
  bool rest = false;
  for (const uint32_t limb : top) rest = rest || limb != 0;
  while (quotient >> 54) rest = rest || (quotient & 1), quotient >>= 1, ++power;
  const bool half = quotient & 1;
  uint64_t rounded = quotient >> 1;
  if (half && (rest || (rounded & 1))) ++rounded;
  return std::ldexp(static_cast<double>(rounded), static_cast<int>(power + 1));
}

Decimal read_decimal(std::string_view text) {
  constexpr int64_t kMostExponent = 1'000'000;  // beyond any number's, with as many digits as a text may have
  size_t at = 0;
  const auto take = [&](char c) { return at < text.size() && text[at] == c && (++at, true); };
  const auto digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  const bool negative = take('-');
  std::string digits;
  int64_t exponent = 0;
  while (digit()) digits += text[at++];
  if (take('.')) {
    while (digit()) digits += text[at++], --exponent;
  }
  if (digits.empty()) return {0, 0};
  const size_t mantissa = at;
  if (take('e') || take('E')) {
    const bool small = take('-');
    if (!small) take('+');
    if (digit()) {
      int64_t own = 0;
      while (digit()) own = std::min(kMostExponent, 10 * own + (text[at++] - '0'));
      exponent += small ? -own : own;
    } else {
      at = mantissa;
    }
  }
  const double number = decimal_to_double(digits, exponent);
  return {negative ? -number : number, at};
}

}  // namespace irplan
