// Loops whose parts run on several threads, where there are some: this library starts none. A program that
// has threads lends them once, at its start; without, as in a page, a loop runs where it is called. Results
// never depend on how many there are.
#pragma once

#include <cstdint>
#include <type_traits>

namespace irplan {

struct Threads {
  int count = 1;  // the caller's included
  // Calls body(of, begin, end) for parts of [0, count) of at least `grain`; returns when all are done.
  void (*loop)(int64_t count, int64_t grain, void (*body)(void*, int64_t, int64_t), void* of) = nullptr;
};
// Before the first loop.
void lend_threads(const Threads& threads);

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
