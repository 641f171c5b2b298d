// Text to tree. Parsing goes on after an error, at the next statement; every error is reported.
#pragma once

#include "irplan/diagnostic.h"
#include "syntax/tree.h"

namespace irplan::syntax {

// Limits of a source text (R12); beyond them a diagnostic says so and parsing stops.
constexpr size_t kMaxSourceBytes = size_t{4} << 20;
constexpr int kMaxNesting = 200;  // of expressions and blocks
constexpr size_t kMaxTokens = 2000000;
constexpr int kMaxTreeDepth = 2 * kMaxNesting;  // what chains like a + b + c add included

Tree parse(const SourceText& source, Diagnostics& diagnostics);

// One expression alone, for the command line (`--let C=131072`); null after a report.
const Expr* parse_expression(Tree& tree, const SourceText& source, Diagnostics& diagnostics);

}  // namespace irplan::syntax
