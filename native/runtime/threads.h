// The machine's threads for parallel loops (runtime/parallel.h): a few that wait for work, so that a loop
// starts none and allocates nothing.
#pragma once

namespace irplan {

void lend_machine_threads();

}  // namespace irplan
