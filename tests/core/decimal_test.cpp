#include "base/decimal.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "catch.h"
#include "runtime/random.h"

namespace irplan {
namespace {

void check_as_c(const std::string& text) {
  INFO(text);
  const auto [number, length] = read_decimal(text);
  CHECK(length == text.size());
  CHECK(std::bit_cast<uint64_t>(number) == std::bit_cast<uint64_t>(std::strtod(text.c_str(), nullptr)));
}

}  // namespace

TEST_CASE("every double is read back from 17 digits, and from fewer as the C library does") {
  uint64_t key = 17;
  for (int i = 0; i < 4000; ++i) {
    const uint64_t bits = key = splitmix64(key);
    const double number = std::bit_cast<double>(bits);
    if (!std::isfinite(number)) continue;
    char text[64];
    std::snprintf(text, sizeof text, "%.*g", 3 + i % 15, number);
    check_as_c(text);
  }
}

TEST_CASE("decimals at the edges of a double are the nearest one, ties to even") {
  for (const char* text : {"0",
                           "-0",
                           "0.0",
                           "-0.0e5",
                           ".5",
                           "5.",
                           "1e22",
                           "1e23",
                           "9007199254740993",
                           "9007199254740995",
                           "1e308",
                           "1.7976931348623157e308",
                           "1.7976931348623159e308",
                           "1e309",
                           "-1e400",
                           "2.2250738585072014e-308",
                           "2.2250738585072011e-308",
                           "4.9406564584124654e-324",
                           "2.4703282292062328e-324",
                           "2.4703282292062327e-324",
                           "1e-400",
                           "0.1e+1",
                           "1E-5",
                           "123456789012345678901234567890e-10",
                           "0.000000000000000000000000000000000000000000000000000000000000000000000000001"})
    check_as_c(text);
  check_as_c("1" + std::string(400, '0') + "e-400");
  check_as_c("0." + std::string(400, '0') + "1e401");
}

TEST_CASE("a decimal ends where its number does") {
  const auto length = [](const char* text) { return read_decimal(text).length; };
  CHECK(length("1.5e-3 and more") == 6);
  CHECK(length("1e") == 1);
  CHECK(length("1e+") == 1);
  CHECK(length("1.2.3") == 3);
  for (const char* none : {"", "-", ".", "-.", "e5", "x", "inf", "nan", " 1"}) CHECK(length(none) == 0);
  CHECK(read_decimal("1e99999999999999999999").number == HUGE_VAL);
  CHECK(read_decimal("1e-99999999999999999999").number == 0);
}

}  // namespace irplan
