#include "runtime/parallel.h"

namespace irplan {
namespace {

Threads& lent() {
  static Threads threads;
  return threads;
}

}  // namespace

void lend_threads(const Threads& threads) { lent() = threads; }

int thread_count() { return lent().count; }

void parallel_loop(int64_t count, int64_t grain, void (*body)(void*, int64_t, int64_t), void* of) {
  if (count <= 0) return;
  const Threads& threads = lent();
  if (count <= grain || threads.count <= 1 || !threads.loop) return body(of, 0, count);
  threads.loop(count, grain, body, of);
}

}  // namespace irplan
