// `irplan explain --compare`: the arena of each phase beside what the rules of other compilers would need for
// it.
#pragma once

#include <string>

#include "cli/arguments.h"
#include "cli/report.h"

namespace irplan::cli {

// `only`: one phase, or all where it is empty.
int run_compare(const Arguments& arguments, const Report& report, const std::string& only);

}  // namespace irplan::cli
