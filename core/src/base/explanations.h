// What a diagnostic's code stands for, at more length than its message.
#pragma once

#include <string>

#include "irplan/diagnostic.h"

namespace irplan {

// Several lines: the message with its places open, what is wrong, and what to write instead.
std::string explain(const CodeInfo& code);

}  // namespace irplan
