// What is run: a plan from a file, or one that is compiled from a program, checked like any stranger's.
#pragma once

#include <memory>

#include "plan/plan.h"
#include "runtime/backend.h"
#include "tools/irplan-run/options.h"

namespace irplan::run {

// Null after a message on stderr; `code` is then the exit code. Says in one line where the plan is for
// another backend.
std::unique_ptr<Plan> load_program(const Options& options, const Backend& backend, Exit* code);

}  // namespace irplan::run
