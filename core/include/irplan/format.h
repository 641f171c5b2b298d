// The one layout of .irplan programs.
#pragma once

#include <optional>
#include <string>

#include "irplan/diagnostic.h"

namespace irplan {

// The program laid out as all programs are: comments kept, idempotent. None where the text has errors; they
// are reported.
std::optional<std::string> format(const SourceText& source, Diagnostics& diagnostics);

}  // namespace irplan
