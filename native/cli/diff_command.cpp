// irplan diff: what differs between two plans.
#include "cli/commands.h"
#include "cli/files.h"

namespace irplan::cli {

int run_diff(const Arguments& arguments) {
  for (const std::string& path : arguments.positional()) {
    if (!read_file(path, 0)) return kFailed;
  }
  return fail(kFailed, "this build cannot compare plans");
}

}  // namespace irplan::cli
