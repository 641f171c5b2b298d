// A few threads that wait for work: parallel loops without starting threads each time, or allocating.
#pragma once

#include <cstdint>
#include <type_traits>

namespace irplan {

int thread_count();

// What `parallel` does, with a body by reference.
void parallel_loop(int64_t count, int64_t grain, void (*body)(void*, int64_t, int64_t), void* of);

// Calls body(begin, end) for parts of [0, count) of at least `grain`, on all threads; returns when all are
// done. Not to be called from within a body.
template <class Body>
void parallel(int64_t count, int64_t grain, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  parallel_loop(
      count, grain, [](void* of, int64_t begin, int64_t end) { (*static_cast<Plain*>(of))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace irplan
