// From a command line to a compilation: what plan, check and explain have in common.
#pragma once

#include <optional>
#include <string>

#include "irplan/compile.h"
#include "tools/irplan/arguments.h"

namespace irplan::cli {

// Reads --config, --let, --dim, --target and the flags. On failure: a message on stderr, none here, and
// `code` to exit with.
std::optional<CompileOptions> compile_options(const Arguments& arguments, Exit* code);

// Reads a program and compiles it. None after a message on stderr about a file that cannot be read.
std::optional<Compilation> compile_file(const std::string& path, const CompileOptions& options);

// The diagnostics on stderr, as text or JSON.
void show_diagnostics(const Compilation& compilation, const Arguments& arguments);

}  // namespace irplan::cli
