// Tree and config to flat graph: every `let` known, every loop unrolled, every `fn` inlined, phase by phase.
//
// Needs a tree (with its error nodes) and, where the program reads it, a config. Gives values with ids as the
// language reference says, leaves (inputs, params, states) with types, and ops in program order with
// attributes but without result types: the shape pass finds those. Does not look at shapes, and leaves no
// value that depends on `let`, `for` or `if`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "ir/bindings.h"
#include "ir/config.h"
#include "ir/graph.h"
#include "irplan/diagnostic.h"
#include "syntax/tree.h"

namespace irplan {

// Steps that a call and a round of a loop count for, since they open scopes, and a diagnostic.
constexpr size_t kCallSteps = 16, kRoundSteps = 4, kReportSteps = 20;

struct ElaborateOptions {
  const Config* config = nullptr;
  bool config_given = false;  // without `config` it could not be read, which is told already
  std::vector<std::pair<std::string, std::string>> lets;  // name, expression
  std::vector<std::string> budgets;                       // expressions, beside the program's own
  Bindings* bindings = nullptr;                           // filled in where given
};

// Adds to `graph` (its target is set already); the tree takes in the expressions of `--let`. Errors are
// reported; what they touch is poisoned.
void elaborate(syntax::Tree& tree, const SourceText& source, const ElaborateOptions& options, Graph& graph,
               Diagnostics& diagnostics);

// The dump of a graph, a line a value and op, for `--dump-after`.
std::string to_text(const Graph& graph);

}  // namespace irplan
