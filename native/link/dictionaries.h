// Text that links need not carry, since whoever reads them has it, too.
#pragma once

#include <string_view>
#include <vector>

namespace irplan::link {

struct Dictionary {
  std::string_view letter;  // one: the file's name
  std::string_view text;
};

// By letter. One that links were made with never changes.
const std::vector<Dictionary>& dictionaries();

}  // namespace irplan::link
