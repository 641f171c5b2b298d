// SHA-256 (FIPS 180-4), so that a plan names exactly the text that it was made from.
#pragma once

#include <string>
#include <string_view>

namespace irplan {

// 64 hexadecimal digits.
std::string sha256(std::string_view bytes);

}  // namespace irplan
