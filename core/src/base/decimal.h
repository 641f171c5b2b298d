// Decimal numbers to doubles, the same on every machine and in every locale, which `strtod` follows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace irplan {

// The double nearest to digits * 10^exponent, ties to even; infinity where none is large enough.
double decimal_to_double(const std::string& digits, int64_t exponent);

struct Decimal {
  double number;
  size_t length;  // of the text that is the number; 0 where it begins with none
};
// What a text begins with: "-1.5e-3 and more". Digits on one side of the point are enough.
Decimal read_decimal(std::string_view text);

}  // namespace irplan
