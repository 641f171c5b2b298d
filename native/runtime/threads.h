// The machine's threads for parallel loops (runtime/parallel.h): a few that wait for work, so that a loop
// starts none and allocates nothing.
#pragma once

namespace irplan {

// `count` threads, the caller's included; 0: those that are lent already, else one for each processor.
void lend_machine_threads(int count = 0);

}  // namespace irplan
