// A few threads that wait for work: parallel loops without starting threads each time.
#pragma once

#include <cstdint>
#include <functional>

namespace irplan {

int thread_count();
// Calls body(begin, end) for parts of [0, count) of at least `grain`, on all threads; returns when all are
// done. Not to be called from within a body.
void parallel(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

}  // namespace irplan
