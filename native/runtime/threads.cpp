#include "runtime/threads.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/parallel.h"

namespace irplan {
namespace {

constexpr int kMostThreads = 64;
// How long a worker looks for the next loop before it sleeps: some tens of microseconds, longer than what
// lies between two loops of a step, and too short to be noticed when a program waits.
constexpr int kSpins = 4000;

inline void pause_thread() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// A loop at a time. Its parts are handed out one by one, so that a worker that comes late, or is put aside by
// the system, holds up nobody: the caller closes the gate once no part is left, and waits only for who is
// inside.
class Pool {
 public:
  explicit Pool(int wanted) {
    workers_.reserve(static_cast<size_t>(wanted));
    try {
      for (int i = 1; i < wanted; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // The system gives no more of them: those that are there do the work.
    }
  }
  ~Pool() {
    ending_ = true;
    next_round();
    for (std::thread& worker : workers_) worker.join();
  }
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  void run(int64_t count, int64_t part, void (*body)(void*, int64_t, int64_t), void* of) {
    body_ = body;
    of_ = of;
    count_ = count;
    part_ = part;
    next_.store(0, std::memory_order_relaxed);
    gate_.store(kOpen, std::memory_order_release);
    next_round();
    take_parts();
    gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
    for (int spins = 0; gate_.load(std::memory_order_acquire) != 0; ++spins) {
      if (spins < kSpins)
        pause_thread();
      else
        std::this_thread::yield();
    }
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  }

 private:
  static constexpr uint32_t kOpen = 1, kInside = 2;  // of the gate: open, and each worker that is inside

  void next_round() {
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }

  void take_parts() {
    try {
      for (int64_t begin = next_.fetch_add(part_); begin < count_; begin = next_.fetch_add(part_))
        body_(of_, begin, std::min(count_, begin + part_));
    } catch (...) {  // run() throws it again, once all threads are done with the body
      const std::lock_guard<std::mutex> lock(mutex_);
      thrown_ = std::current_exception();
      next_ = count_;
    }
  }

  void work() {
    for (uint32_t seen = 0; !ending_;) {
      for (int spins = 0; spins < kSpins && round_.load(std::memory_order_acquire) == seen; ++spins)
        pause_thread();
      round_.wait(seen, std::memory_order_acquire);
      seen = round_.load(std::memory_order_acquire);
      uint32_t gate = gate_.load(std::memory_order_acquire);
      while (gate & kOpen) {
        if (!gate_.compare_exchange_weak(gate, gate + kInside, std::memory_order_acq_rel)) continue;
        take_parts();
        gate_.fetch_sub(kInside, std::memory_order_acq_rel);
        break;
      }
    }
  }

  std::vector<std::thread> workers_;
  void (*body_)(void*, int64_t, int64_t) = nullptr;
  void* of_ = nullptr;
  int64_t count_ = 0, part_ = 1;
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint32_t> gate_{0};
  alignas(64) std::atomic<uint32_t> round_{0};
  std::mutex mutex_;
  std::exception_ptr thrown_;
  std::atomic<bool> ending_{false};
};

std::unique_ptr<Pool>& pool() {
  static std::unique_ptr<Pool> instance;
  return instance;
}

void loop(int64_t count, int64_t grain, void (*body)(void*, int64_t, int64_t), void* of) {
  // Some parts for each thread, so that one that is put aside does not hold up the others.
  const int64_t parts = 8 * int64_t{pool()->size()};
  pool()->run(count, std::max(grain, (count + parts - 1) / parts), body, of);
}

}  // namespace

void lend_machine_threads(int count) {
  if (count <= 0 && pool()) return;
  if (count <= 0) count = static_cast<int>(std::thread::hardware_concurrency());
  count = std::clamp(count, 1, kMostThreads);
  if (!pool() || pool()->size() != count) pool() = std::make_unique<Pool>(count);
  lend_threads({pool()->size(), loop});
}

}  // namespace irplan
