// A search that takes long: what stderr says of it, and Ctrl-C, which ends it with the best so far.
#pragma once

#include <chrono>

#include "irplan/pack.h"

namespace irplan::cli {

// From now on the first Ctrl-C only makes SearchProgress say no; the second ends the command as ever.
void end_search_on_interrupt();
bool search_interrupted();

// For PackOptions::progress: a line now and then, once a search takes longer than one likes to wait for
// unawares.
class SearchProgress {
 public:
  bool operator()(const PackProgress& at);

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
  double said_ = 0;  // seconds
};

}  // namespace irplan::cli
