#include "run/runner.h"

namespace irplan::run {

Exit run_requests(const Plan&, Backend&, const Options&) {
  return fail(kFailed, "--requests is not there yet"), kFailed;
}

}  // namespace irplan::run
