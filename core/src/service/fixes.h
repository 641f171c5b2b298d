// Applies the changes that diagnostics propose to the text that they speak of.
#pragma once

#include <string>

#include "irplan/compile.h"

namespace irplan {

struct FixedText {
  std::string text;
  size_t changes = 0;
};

// Of each diagnostic with one such change, that one; of changes that touch each other, the first. What makes
// the program worse, as by more errors, is not kept.
FixedText with_fixes(const SourceText& source, const CompileOptions& options);

}  // namespace irplan
