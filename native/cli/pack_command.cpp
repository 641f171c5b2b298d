// irplan pack: the memory planner alone, on the published instances' CSV format.
#include "cli/commands.h"
#include "cli/files.h"

namespace irplan::cli {

int run_pack(const Arguments& arguments) {
  const std::string& path = arguments.positional()[0];
  if (!read_file(path, 0)) return kFailed;
  return fail(kFailed, path + ": this build has no packer");
}

}  // namespace irplan::cli
